// Writing XML so that it is well formed whatever the texts hold.

/// A piece of XML being written.
struct XML {
    private(set) var text = ""

    /// `<name …/>`.
    mutating func element(_ name: String, _ attributes: KeyValuePairs<String, String>) {
        open(name, attributes, end: "/>\n")
    }

    /// `<name …>content</name>`, the content being text.
    mutating func element(_ name: String, _ attributes: KeyValuePairs<String, String>, text content: String) {
        open(name, attributes, end: ">")
        text += XML.escaped(content)
        text += "</\(name)>\n"
    }

    /// `<name …>…</name>` around what `body` writes.
    mutating func element(_ name: String, _ attributes: KeyValuePairs<String, String>, _ body: (inout XML) -> Void) {
        open(name, attributes, end: ">\n")
        body(&self)
        text += "</\(name)>\n"
    }

    private mutating func open(_ name: String, _ attributes: KeyValuePairs<String, String>, end: String) {
        text += "<\(name)"
        for (key, value) in attributes { text += " \(key)=\"\(XML.escaped(value))\"" }
        text += end
    }

    /// Text for content and attribute values: markup escaped, line ends and tabs as spaces, what XML 1.0 forbids left out.
    static func escaped(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result.append(contentsOf: "&amp;".unicodeScalars)
            case "<": result.append(contentsOf: "&lt;".unicodeScalars)
            case ">": result.append(contentsOf: "&gt;".unicodeScalars)
            case "\"": result.append(contentsOf: "&quot;".unicodeScalars)
            case "\n", "\r", "\t": result.append(" ")
            default:
                let value = scalar.value
                let isForbidden = value < 0x20 || (0x7f...0x9f).contains(value) || value & 0xfffe == 0xfffe
                if !isForbidden { result.append(scalar) }
            }
        }
        return String(result)
    }
}

/// A length in pixels, to a tenth.
func px(_ value: Double) -> String {
    guard let tenths = Int(exactly: (value * 10).rounded()) else { return "0" }
    let (whole, rest) = tenths.magnitude.quotientAndRemainder(dividingBy: 10)
    return (tenths < 0 ? "-" : "") + String(whole) + (rest == 0 ? "" : ".\(rest)")
}
