"""Runs on a board, by mpremote: prints what a deploy has to know, as one line of JSON."""

import binascii
import hashlib
import json
import os
import sys


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while True:
            block = file.read(512)
            if not block:
                return binascii.hexlify(digest.digest()).decode()
            digest.update(block)


def walk(folder, files, folders):
    for entry in os.ilistdir(folder or "."):
        path = folder + entry[0]
        if entry[1] == 0x4000:
            folders.append(path)
            walk(path + "/", files, folders)
        else:
            files[path] = sha256(path)


files, folders = {}, []
walk("", files, folders)
print(json.dumps({"mpy": getattr(sys.implementation, "_mpy", 0), "files": files, "folders": folders}))
