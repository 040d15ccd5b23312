#define MICROPY_HW_BOARD_NAME "ESP32C3 module (deskonomy)"
#define MICROPY_HW_MCU_NAME "ESP32-C3"

// The REPL also on the UART, for modules without native USB.
#define MICROPY_HW_ENABLE_UART_REPL (1)
