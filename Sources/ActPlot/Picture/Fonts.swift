// Which characters of a picture no installed font has: they would be drawn as boxes. fontconfig knows, which librsvg draws text with on
// Linux; where it is missing (macOS draws with its own fonts) nothing is said.

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

package enum Fonts {
    /// Characters of one script that no font has, and the Debian package with a font for them.
    package struct Gap: Equatable, Sendable {
        package let script: String
        package let characters: String
        package let package: String
    }

    /// What of a text cannot be drawn, by script in the order of the text.
    package static func gaps(in text: String) -> [Gap] {
        var seen = Set<Unicode.Scalar>(), scripts: [(Script, String.UnicodeScalarView)] = []
        for scalar in text.unicodeScalars where scalar.value >= 0x80 && seen.insert(scalar).inserted && isVisible(scalar) {
            guard let library = Library.shared, !library.isCovered(scalar) else { continue }
            let script = Script(scalar)
            if let index = scripts.firstIndex(where: { $0.0 == script }) { scripts[index].1.append(scalar) } else { scripts.append((script, .init([scalar]))) }
        }
        return scripts.map { Gap(script: $0.0.name, characters: String($0.1), package: $0.0.package) }
    }

    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        let properties = scalar.properties
        if properties.isDefaultIgnorableCodePoint || properties.isWhitespace { return false }
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .nonspacingMark, .enclosingMark: return false
        default: return true
        }
    }

    private struct Script: Equatable {
        let name: String
        let package: String

        /// The script is the first word of a letter's name in Unicode.
        init(_ scalar: Unicode.Scalar) {
            let word = scalar.properties.name?.split(whereSeparator: { $0 == " " || $0 == "-" }).first.map(String.init) ?? ""
            switch word {
            case "CJK", "KANGXI", "IDEOGRAPHIC": (name, package) = ("Chinese (Han)", "fonts-noto-cjk")
            case "HANGUL", "HIRAGANA", "KATAKANA", "BOPOMOFO", "FULLWIDTH", "HALFWIDTH":
                (name, package) = (word.prefix(1) + word.dropFirst().lowercased(), "fonts-noto-cjk")
            case _ where scalar.properties.isEmojiPresentation: (name, package) = ("emoji", "fonts-noto-color-emoji")
            case _ where scalar.properties.isAlphabetic && !word.isEmpty: (name, package) = (word.prefix(1) + word.dropFirst().lowercased(), "fonts-noto-core")
            default: (name, package) = ("symbol", "fonts-noto-core")
            }
        }
    }

    /// The functions of fontconfig, as its header declares them. `@unchecked`: the library stays loaded.
    private struct Library: @unchecked Sendable {
        private let makePattern: @convention(c) () -> OpaquePointer?
        private let destroyPattern: @convention(c) (OpaquePointer?) -> Void
        private let makeCharacters: @convention(c) () -> OpaquePointer?
        private let destroyCharacters: @convention(c) (OpaquePointer?) -> Void
        private let addCharacter: @convention(c) (OpaquePointer?, UInt32) -> Int32
        private let addCharacters: @convention(c) (OpaquePointer?, UnsafePointer<CChar>, OpaquePointer?) -> Int32
        private let makeNames: @convention(c) () -> OpaquePointer?
        private let destroyNames: @convention(c) (OpaquePointer?) -> Void
        private let list: @convention(c) (OpaquePointer?, OpaquePointer?, OpaquePointer?) -> UnsafeMutableRawPointer?
        private let destroyList: @convention(c) (UnsafeMutableRawPointer?) -> Void

        static let shared = Library()

        private init?() {
            guard let handle = dlopen("libfontconfig.so.1", RTLD_NOW | RTLD_LOCAL) else { return nil }
            func function<Function>(_ name: String) -> Function? { dlsym(handle, name).map { unsafeBitCast($0, to: Function.self) } }
            guard
                let makePattern: @convention(c) () -> OpaquePointer? = function("FcPatternCreate"),
                let destroyPattern: @convention(c) (OpaquePointer?) -> Void = function("FcPatternDestroy"),
                let makeCharacters: @convention(c) () -> OpaquePointer? = function("FcCharSetCreate"),
                let destroyCharacters: @convention(c) (OpaquePointer?) -> Void = function("FcCharSetDestroy"),
                let addCharacter: @convention(c) (OpaquePointer?, UInt32) -> Int32 = function("FcCharSetAddChar"),
                let addCharacters: @convention(c) (OpaquePointer?, UnsafePointer<CChar>, OpaquePointer?) -> Int32 = function("FcPatternAddCharSet"),
                let makeNames: @convention(c) () -> OpaquePointer? = function("FcObjectSetCreate"),
                let destroyNames: @convention(c) (OpaquePointer?) -> Void = function("FcObjectSetDestroy"),
                let list: @convention(c) (OpaquePointer?, OpaquePointer?, OpaquePointer?) -> UnsafeMutableRawPointer? = function("FcFontList"),
                let destroyList: @convention(c) (UnsafeMutableRawPointer?) -> Void = function("FcFontSetDestroy")
            else { return nil }
            (self.makePattern, self.destroyPattern, self.makeCharacters, self.destroyCharacters) = (
                makePattern, destroyPattern, makeCharacters, destroyCharacters
            )
            (self.addCharacter, self.addCharacters, self.makeNames, self.destroyNames) = (addCharacter, addCharacters, makeNames, destroyNames)
            (self.list, self.destroyList) = (list, destroyList)
        }

        /// Whether some font has the character; true where that cannot be found out.
        func isCovered(_ scalar: Unicode.Scalar) -> Bool {
            guard let characters = makeCharacters() else { return true }
            defer { destroyCharacters(characters) }
            guard let pattern = makePattern() else { return true }
            defer { destroyPattern(pattern) }
            guard let names = makeNames() else { return true }
            defer { destroyNames(names) }
            guard addCharacter(characters, scalar.value) != 0, addCharacters(pattern, "charset", characters) != 0, let found = list(nil, pattern, names) else {
                return true
            }
            defer { destroyList(found) }
            // An FcFontSet begins with the number of its fonts.
            return found.load(as: Int32.self) > 0
        }
    }
}
