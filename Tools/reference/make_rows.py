"""Writes Tests/ActGradTests/Reference/{rows,lanes}-{f64,f32}.txt: the activation rows and their derivatives at 60 digits and more.

A line `row p…` begins a row with its parameters; then come the points, `x f d d2`: bit patterns in hex, each of f and d followed by a
comma and what rounding took off, in hundredths of an ulp; d may be followed by `z` and the size of the derivative around a zero close by.
A line of lanes is `x… | softmax… | log_softmax…`.
Usage: python3 make_rows.py
"""
import pathlib
import random
import struct

from mpmath import mp, mpf, findroot, isinf, isnan

from rows import rows, I

OUT = pathlib.Path(__file__).resolve().parents[2] / 'Tests/ActGradTests/Reference'


class F64:
    name, digits, least, tiny, huge = 'f64', 53, -1074, 2.0 ** -1022, 1.7976931348623157e308
    spread = [1e-320, 3e-308, 1e-200, 1e-100, 1e-30, 1e-16, 1e-12, 1e-9, 1e-8, 1e-6, 1e-5, 1e-4, 1e-3]
    far = [38.5, 39.5, 300, 700, 709.5, 710.5, 740, 745.2, 746, 1e4, 1e8, 1e10, 1e17, 1e100, 1e154, 1.4e154, 1e200, 1e300, huge]

    @staticmethod
    def round(x): return float(x)

    @staticmethod
    def bits(x): return '%x' % struct.unpack('<Q', struct.pack('<d', x))[0]

    @staticmethod
    def moved(x, n):
        i = struct.unpack('<q', struct.pack('<d', x))[0]
        return struct.unpack('<d', struct.pack('<q', i + n))[0]


class F32:
    name, digits, least, tiny, huge = 'f32', 24, -149, 2.0 ** -126, 3.4028234663852886e38
    spread = [1e-45, 1e-40, 2e-38, 1e-30, 1e-20, 1e-10, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2]
    far = [9.5, 13.2, 14, 17, 44, 86, 88.7, 89, 100, 103.9, 104.5, 1e3, 1e4, 1e8, 1e12, 1.8e19, 2e19, 1e30, huge]

    @staticmethod
    def round(x): return struct.unpack('<f', struct.pack('<f', x))[0]

    @staticmethod
    def bits(x): return '%x' % struct.unpack('<I', struct.pack('<f', x))[0]

    @staticmethod
    def moved(x, n):
        i = struct.unpack('<i', struct.pack('<f', x))[0]
        return struct.unpack('<f', struct.pack('<i', i + n))[0]


def rounded(value, F):
    """The nearest number of the format to an mpf, and value - number in hundredths of an ulp."""
    if isnan(value):
        return float('nan'), 0
    if isinf(value) or abs(value) > mpf(F.huge) * (1 + mpf(2) ** (-F.digits - 1)):
        return (I if value > 0 else -I), 0
    if value == 0:
        return 0.0, 0
    exponent = max(int(mp.floor(mp.log(abs(value), 2))) + 1 - F.digits, F.least)
    for e in (exponent, exponent + 1):      # the logarithm may be off by one beside a power of two
        n = int(mp.nint(value / mpf(2) ** e))
        if abs(n) <= 2 ** F.digits:
            break
    number = mpf(n) * mpf(2) ** e
    # ulp as the tests take it: that of the rounded number
    ulp = max(int(mp.floor(mp.log(abs(number), 2))) + 1 - F.digits, F.least) if n else F.least
    return float(number), int(mp.nint((value - number) / mpf(2) ** ulp * 100))


def points(row, F, zeros):
    rng = random.Random(row.name + F.name)
    xs = [0.0, -0.0]
    for x in F.spread + F.far:
        xs += [x, -x]
    for _ in range(28):
        x = 10 ** rng.uniform(-7, 3)
        xs += [x, -x]
    xs += [rng.uniform(-10, 10) for _ in range(40)] + [rng.uniform(-2, 2) for _ in range(20)] + [rng.uniform(-100, 100) for _ in range(12)]
    xs += [rng.uniform(-750, -30) if F is F64 else rng.uniform(-104, -9) for _ in range(10)]
    for z in list(row.kinks) + zeros:
        z = F.round(z)
        xs.append(z)
        if z:
            xs += [F.moved(z, n) for n in (-3, -2, -1, 1, 2, 3)]
            xs += [z * (1 + e) for e in (-1e-2, -1e-4, -1e-6, 1e-6, 1e-4, 1e-2)]
    seen, out = set(), []
    for x in xs:
        # Beyond, the product with the frequency overflows: nothing is promised there.
        if abs(x) > (F.huge / 64 if row.name in ('snake', 'siren') else F.huge):
            continue
        x = F.round(x)
        if F.bits(x) not in seen:
            seen.add(F.bits(x))
            out.append(x)
    return out


def zeros_of(f):
    """Sign changes of f on [-12, 12], at most six."""
    found, step = [], mpf(1) / 37
    xs = [mpf(-12) + mpf('0.0123') + i * step for i in range(int(24 / step))]
    values = [f(x) for x in xs]
    for a, b, u, v in zip(xs, xs[1:], values, values[1:]):
        if u * v < 0 and abs(u - v) < 0.3 * max(abs(u), abs(v), 1):
            found.append(float(findroot(f, (a, b), solver='illinois', verify=False)))
    return sorted(found, key=abs)[:6]


def lanes(F):
    rng = random.Random('lanes')
    shapes = [(n, s) for n in (1, 2, 3, 5, 10, 17, 40) for s in (0.5, 3, 20)] + [(4, 300), (6, 80)]
    given = [[rng.uniform(-s, s) for _ in range(n)] for n, s in shapes]
    given += [[40.0, 0.0], [1000.0, 900.0, 1000.0], [1e30, -1e30], [0.0, -80.0, -100.0], [-5.0] * 7, [3e-10, 0.0]]
    out = []
    mp.dps = 80
    for xs in given:
        xs = [F.round(x) for x in xs]
        m = max(xs)
        weights = [mp.exp(mpf(x) - m) if x - m > -20000 else mpf(0) for x in xs]
        rest = sum(weights) - 1
        soft = [rounded(w / (1 + rest), F) for w in weights]
        logs = [rounded(mpf(x) - m - mp.log1p(rest), F) for x in xs]
        out.append(' | '.join([' '.join(F.bits(x) for x in xs)] + [' '.join('%s,%d' % (F.bits(v), r) for v, r in part) for part in (soft, logs)]))
    return out


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for F in (F64, F32):
        lines = []
        for row in rows():
            mp.dps = 60
            given = [F.round(p) for p in row.params]
            params = [mpf(p) for p in given]
            f, d, d2 = (lambda x, g=g: g(x, *params) for g in (row.f, row.d, row.d2))
            smooth = d2(mpf('0.3')) != 0 or d2(mpf('-0.3')) != 0
            slope_zeros = zeros_of(d) if smooth else []
            zeros = slope_zeros + [z for z in (zeros_of(f) if smooth or row.name == 'star_relu' else []) if abs(z) > 1e-9]
            lines.append(' '.join([row.name] + [repr(p) for p in row.params]))
            for x in points(row, F, zeros):
                size = abs(int(mp.log10(abs(mpf(x))))) if x else 0
                mp.dps = 60 + 3 * size
                X = mpf(x)
                fv, fr = rounded(f(X), F)
                slope = d(X)
                dv, dr = rounded(slope, F)
                line = '%s %s,%d %s,%d' % (F.bits(x), F.bits(fv), fr, F.bits(dv), dr)
                near = any(abs(x - z) < 0.25 for z in slope_zeros)
                if row.scale and (near or abs(x) > 1e-3):
                    line += 'z%.3g' % row.scale(x)
                elif near:
                    line += 'z1'
                if F is F64 and 1e-8 < abs(x) < 30:
                    line += ' %s' % F.bits(float(d2(X)))
                lines.append(line)
            for x, fv, dv in ((-I, row.limits[0], row.limits[2]), (I, row.limits[1], row.limits[3])):
                lines.append('%s %s,0 %s,0' % (F.bits(x), F.bits(float(fv)) if fv == fv else 'nan', F.bits(float(dv)) if dv == dv else 'nan'))
        (OUT / ('rows-%s.txt' % F.name)).write_text('\n'.join(lines) + '\n')
        (OUT / ('lanes-%s.txt' % F.name)).write_text('\n'.join(lanes(F)) + '\n')
        print(F.name, len(lines))


if __name__ == '__main__':
    main()
