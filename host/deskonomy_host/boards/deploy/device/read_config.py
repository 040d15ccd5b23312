"""Run on a board by mpremote: print config.json as this board reads it, as one line of JSON."""

import json

with open("config.json") as file:
    print(json.dumps(json.load(file)))
