"""A voltage on an analog pin: light, a potentiometer, soil. 0..4095."""

from machine import ADC, Pin


def readings(settings):
    adc = ADC(Pin(settings["pin"]), atten=ADC.ATTN_11DB)
    while True:
        yield adc.read()
