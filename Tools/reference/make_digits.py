#!/usr/bin/env python3
"""Write Sources/ActNetwork/Data/DigitsData.swift from the IDX files of the digits.

    Tools/reference/make_digits.py FOLDER      holding images-idx3-ubyte.gz and labels-idx1-ubyte.gz

The data are the test part of "Optical Recognition of Handwritten Digits" (E. Alpaydin, C. Kaynak; UCI Machine Learning
Repository, CC BY 4.0). Coded with a range coder whose model of each pixel's place learns as it goes; Digits.swift decodes.
"""
import base64, gzip, sys
from pathlib import Path

TOP, BOTTOM, MASK = 1 << 24, 1 << 16, (1 << 32) - 1


class Model:
    def __init__(self, symbols):
        self.counts = [1] * symbols

    def seen(self, symbol):
        self.counts[symbol] += 24
        if sum(self.counts) > 1 << 13:
            self.counts = [(c + 1) // 2 for c in self.counts]


class Encoder:
    def __init__(self):
        self.low, self.range, self.out = 0, MASK, bytearray()

    def encode(self, model, symbol):
        total = sum(model.counts)
        self.range //= total
        self.low = (self.low + sum(model.counts[:symbol]) * self.range) & MASK
        self.range *= model.counts[symbol]
        while True:
            if (self.low ^ ((self.low + self.range) & MASK)) >= TOP:
                if self.range >= BOTTOM:
                    break
                self.range = -self.low & (BOTTOM - 1)
            self.out.append(self.low >> 24)
            self.low = (self.low << 8) & MASK
            self.range = (self.range << 8) & MASK
        model.seen(symbol)

    def finish(self):
        for _ in range(4):
            self.out.append(self.low >> 24)
            self.low = (self.low << 8) & MASK
        return bytes(self.out)


def main():
    folder = Path(sys.argv[1])
    images = gzip.open(folder / "images-idx3-ubyte.gz").read()[16:]
    labels = gzip.open(folder / "labels-idx1-ubyte.gz").read()[8:]
    encoder, places, classes = Encoder(), [Model(17) for _ in range(64)], Model(10)
    for row, label in enumerate(labels):
        encoder.encode(classes, label)
        for place in range(64):
            encoder.encode(places[place], images[64 * row + place])
    text = base64.b64encode(encoder.finish()).decode()
    lines = [text[i:i + 140] for i in range(0, len(text), 140)]
    target = Path(__file__).parents[2] / "Sources/ActNetwork/Data/DigitsData.swift"
    target.write_text(
        '// Written by Tools/reference/make_digits.py, which says what it is and where the data come from.\n\n'
        'extension Digits {\n    static let coded: StaticString = """\n' + "".join(f"        {line}\\\n" for line in lines[:-1]) + f"        {lines[-1]}\n" + '        """\n}\n')
    print(len(text), "characters")


main()
