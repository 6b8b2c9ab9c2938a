// Reading the reference values that Tools/reference/make_rows.py writes.

import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The whole of a text file.
func readText(_ path: String) throws -> String {
    let file = try #require(fopen(path, "r"), "missing \(path)")
    defer { fclose(file) }
    var bytes: [UInt8] = [], chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = fread(&chunk, 1, chunk.count, file)
        if count == 0 { break }
        bytes.append(contentsOf: chunk[0..<count])
    }
    return String(decoding: bytes, as: UTF8.self)
}

/// A row with parameters and what the function and its derivatives are at some points.
struct ReferenceRow {
    struct Value {
        /// The nearest number of the type, and what rounding took off in ulps.
        var number: Double
        var residue: Double
        /// The size of the function around a zero close by; 0 elsewhere.
        var scale = 0.0
    }

    let name: String
    let parameters: [Double]
    var points: [(x: Double, value: Value, slope: Value, second: Double?)] = []

    var title: String { ([name] + parameters.map { "\($0)" }).joined(separator: " ") }

    private static func number(_ bits: Substring, _ type: String) -> Double {
        guard type == "f32" else { return UInt64(bits, radix: 16).map { Double(bitPattern: $0) } ?? .nan }
        return UInt32(bits, radix: 16).map { Double(Float(bitPattern: $0)) } ?? .nan
    }

    private static func value(_ text: Substring, _ type: String) -> Value {
        let parts = text.split(separator: "z"), pair = parts[0].split(separator: ",")
        return Value(
            number: number(pair[0], type), residue: (Double(pair[1]) ?? .nan) / 100, scale: parts.count > 1 ? Double(parts[1]) ?? 0 : 0)
    }

    /// Lanes with their softmax and log_softmax.
    static func readLanes(_ type: String) throws -> [(x: [Double], softmax: [Value], logSoftmax: [Value])] {
        try readText(folder + "/Reference/lanes-\(type).txt").split(separator: "\n").map { line in
            let parts = line.split(separator: "|").map { $0.split(separator: " ") }
            return (parts[0].map { number($0, type) }, parts[1].map { value($0, type) }, parts[2].map { value($0, type) })
        }
    }

    /// The folder of these tests.
    static let folder = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")

    static func read(_ type: String) throws -> [ReferenceRow] {
        var rows: [ReferenceRow] = []
        for line in try readText(folder + "/Reference/rows-\(type).txt").split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count > 1, words[1].contains(",") {
                rows[rows.count - 1].points.append(
                    (number(words[0], type), value(words[1], type), value(words[2], type), words.count > 3 ? number(words[3], type) : nil))
            } else {
                rows.append(ReferenceRow(name: String(words[0]), parameters: words.dropFirst().compactMap { Double($0) }))
            }
        }
        return rows
    }
}
