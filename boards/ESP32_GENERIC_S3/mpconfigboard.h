#define MICROPY_HW_BOARD_NAME "Generic ESP32S3 module (deskonomy)"
#define MICROPY_HW_MCU_NAME "ESP32-S3"

// The REPL also on the UART, for modules without native USB.
#define MICROPY_HW_ENABLE_UART_REPL (1)

#define MICROPY_HW_I2C0_SCL (9)
#define MICROPY_HW_I2C0_SDA (8)
