"""DHT11: hundredths of a degree Celsius, or of a per cent of humidity, of which it gives whole ones (or tenths)."""

from deskonomy_board.sensors.drivers.dht22 import measurements


def readings(settings):
    for data in measurements(settings["pin"]):
        if data is None:
            yield None
        elif settings["reads"] == "humidity":
            yield data[0] * 100 + data[1] * 10
        else:
            hundredths = data[2] * 100 + (data[3] & 127) * 10
            yield -hundredths if data[3] & 128 else hundredths
