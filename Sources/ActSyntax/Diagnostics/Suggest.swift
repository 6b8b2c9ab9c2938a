// Near names for a misspelt one. Names, options, files and commands all use it.

/// Up to three of `candidates` that `name` may have meant, nearest first, equally near ones in alphabetical order.
///
/// Near is the number of letters inserted, left out, changed or swapped with their neighbour (Damerau and Levenshtein, each
/// stretch edited once): one for up to four letters, two up to eight, else three. A change of case counts nothing.
package func suggest(_ name: String, among candidates: some Sequence<String>) -> [String] {
    let wanted = Array(name.lowercased().unicodeScalars)
    guard !wanted.isEmpty, wanted.count <= 64 else { return [] }
    let limit = wanted.count <= 4 ? 1 : wanted.count <= 8 ? 2 : 3
    var found: [(distance: Int, name: String)] = []
    for candidate in candidates where candidate != name {
        let length = candidate.unicodeScalars.count
        guard abs(length - wanted.count) <= limit else { continue }
        let letters = Array(candidate.lowercased().unicodeScalars)
        // A name of one or two letters must share one, or `x` would suggest every other variable.
        guard wanted.count > 2 || letters.contains(where: wanted.contains) else { continue }
        if let distance = editDistance(wanted, letters, limit: limit) { found.append((distance, candidate)) }
    }
    found.sort { ($0.distance, $0.name) < ($1.distance, $1.name) }
    var names: [String] = []
    for (_, name) in found where !names.contains(name) {
        names.append(name)
        if names.count == 3 { break }
    }
    return names
}

/// The distance between two words, or nil when it is more than `limit`.
private func editDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar], limit: Int) -> Int? {
    guard abs(a.count - b.count) <= limit else { return nil }
    var beforePrevious = [Int](repeating: 0, count: b.count + 1)
    var previous = Array(0...b.count)
    var current = previous
    for i in a.indices {
        current[0] = i + 1
        var best = current[0]
        for j in b.indices {
            var distance = min(previous[j + 1] + 1, current[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { distance = min(distance, beforePrevious[j - 1] + 1) }
            current[j + 1] = distance
            best = min(best, distance)
        }
        if best > limit { return nil }
        (beforePrevious, previous, current) = (previous, current, beforePrevious)
    }
    return previous[b.count] <= limit ? previous[b.count] : nil
}
