// Values as notebooks show them: the same thing in several forms, of which the reader's program takes the best it knows.

import ActArray
import ActFiles
import ActLanguage
import ActPlot

/// What a message shows: a text or picture by its media type.
struct DisplayData {
    let data: JSON
    let metadata: JSON

    /// Texts end here; whoever wants more has `save`.
    private static let longestText = 1 << 20

    init(plain text: String) {
        data = ["text/plain": .text(Self.cut(text))]
        metadata = .object([])
    }

    init(_ shown: Shown) {
        if let figure = shown.figure { self.init(figure) } else { self.init(plain: shown.text) }
    }

    private init(_ figure: Figure) {
        let (width, height) = figure.pixelSize
        let picture = svg(figure)
        var fields: [(name: String, value: JSON)] = [("image/svg+xml", .text(picture))]
        // Twice as many points as pixels, for screens that have them.
        if let rasterizer = try? Rasterizer(), let png = try? rasterizer.png(picture, width: width, height: height, scale: 2) {
            fields.append(("image/png", .text(InlinePicture.base64(png))))
        }
        fields.append(("text/plain", .text(render(figure, TerminalStyle()))))
        data = .object(fields)
        metadata = ["image/png": ["width": .whole(width), "height": .whole(height)]]
    }

    /// What a history and `text/plain` say.
    var plainText: String { data["text/plain"]?.asText ?? "" }

    private static func cut(_ text: String) -> String {
        guard text.utf8.count > longestText else { return text }
        return String(decoding: text.utf8.prefix(longestText), as: UTF8.self) + "\n… \(text.utf8.count - longestText) bytes more"
    }
}
