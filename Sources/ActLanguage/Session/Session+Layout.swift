// A program in the one layout, on a stack that is deep enough for it.

import ActArray
import ActSyntax
import ActWording

extension Session {
    package enum LayoutResult {
        case text(String)
        /// The program has faults, which `check` reports, or is not UTF-8.
        case faults
        /// Something else, which has been reported.
        case failed
    }

    /// What the words and brackets of a program take while it is laid out, for each of its bytes, at most.
    private static let bytesWhileLayingOut = 200

    /// The program in the one layout.
    package func layout(of bytes: [UInt8], named name: String) -> LayoutResult {
        var result = LayoutResult.failed
        _ = computing { _ in
            do { try MemoryPool.allow(bytes.count &* Self.bytesWhileLayingOut) } catch {
                self.report(RuntimeWording.diagnostic(forSource: error, named: name))
                return .limit
            }
            let source = try? SourceText(id: -1, name: name, bytes: bytes)
            result = source.flatMap { Layout.text(of: $0) }.map(LayoutResult.text) ?? .faults
            return .done
        }
        return result
    }
}
