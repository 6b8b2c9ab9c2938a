// How many terminal columns a text takes. Frames and marks stay aligned only if everything that is written is measured here.

/// The number of terminal columns that `text` takes: 2 for a wide character (Hangul, kana, CJK, emoji), 0 for control characters and
/// marks without width, else 1. Counts by grapheme cluster: a letter with its combining marks is one place.
package func displayWidth(_ text: some StringProtocol) -> Int {
    var width = 0
    for character in text { width &+= displayWidth(of: character) }
    return width
}

/// The number of terminal columns of one grapheme cluster: 0, 1 or 2 (more only with spacing marks).
package func displayWidth(of character: Character) -> Int {
    if let byte = character.asciiValue { return byte >= 0x20 && byte != 0x7f ? 1 : 0 }
    var widest = 0
    var spacingMarks = 0
    for scalar in character.unicodeScalars {
        if scalar.value == 0xfe0f && widest > 0 { return 2 }  // asks for the emoji form
        if scalar.properties.generalCategory == .spacingMark {
            spacingMarks &+= 1
        } else {
            widest = max(widest, displayWidth(of: scalar))
        }
    }
    return widest &+ min(spacingMarks, 4)
}

private func displayWidth(of scalar: Unicode.Scalar) -> Int {
    switch scalar.properties.generalCategory {
    case .control, .nonspacingMark, .enclosingMark, .lineSeparator, .paragraphSeparator, .surrogate: return 0
    case .format: return scalar.value == 0xad ? 1 : 0  // the soft hyphen shows
    default: break
    }
    let value = scalar.value
    if value < 0x1100 { return 1 }
    if (0x1160...0x11ff).contains(value) || (0xd7b0...0xd7ff).contains(value) { return 0 }  // join the Hangul syllable before
    if wideRanges.contains(where: { $0.contains(value) }) || scalar.properties.isEmojiPresentation { return 2 }
    return 1
}

/// Unicode's East_Asian_Width W and F (UAX #11), unassigned places among them included; emoji come from their own property.
private let wideRanges: [ClosedRange<UInt32>] = [
    0x1100...0x115f, 0x2329...0x232a, 0x2e80...0x303e, 0x3041...0x4dbf, 0x4e00...0xa4cf, 0xa960...0xa97c, 0xac00...0xd7a3,
    0xf900...0xfaff, 0xfe10...0xfe19, 0xfe30...0xfe6b, 0xff01...0xff60, 0xffe0...0xffe6, 0x16fe0...0x18dff, 0x1aff0...0x1b2ff,
    0x1f200...0x1f265, 0x20000...0x3fffd,
]
