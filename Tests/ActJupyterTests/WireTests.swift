// What goes over the wire: signatures against published values, connection files, frames against ZMTP's own words, and bytes that are none of it.

import ActFiles
import ActJupyter
import Testing

@Suite struct WireTests {
    /// RFC 4231, test cases 1 to 4, 6 and 7.
    static let signatures: [(key: [UInt8], text: [UInt8], signature: String)] = [
        (Array(repeating: 0x0b, count: 20), Array("Hi There".utf8), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (Array("Jefe".utf8), Array("what do ya want for nothing?".utf8), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (Array(repeating: 0xaa, count: 20), Array(repeating: 0xdd, count: 50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        (Array(1...25), Array(repeating: 0xcd, count: 50), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        (
            Array(repeating: 0xaa, count: 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
        (
            Array(repeating: 0xaa, count: 131),
            Array(
                "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm."
                    .utf8),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
        ),
    ]

    @Test(arguments: signatures) func signaturesAreThoseOfTheStandard(_ key: [UInt8], _ text: [UInt8], _ signature: String) {
        let authentication = MessageAuthentication(key: key)
        #expect(String(decoding: authentication.signature(of: [text]), as: UTF8.self) == signature)
        // However the text is cut.
        for cut in [0, 1, text.count / 2, text.count] {
            #expect(authentication.isValid(Array(signature.utf8), of: [Array(text[..<cut]), Array(text[cut...])]))
        }
        var wrong = Array(signature.utf8)
        wrong[63] ^= 1
        #expect(!authentication.isValid(wrong, of: [text]) && !authentication.isValid([], of: [text]) && !authentication.isValid(Array(signature.utf8), of: []))
    }

    // MARK: Connection files

    private func fault(_ text: String) -> String? {
        do { _ = try ConnectionFile(Array(text.utf8)) } catch { return (error as? ConnectionFile.Fault)?.words ?? "\(error)" }
        return nil
    }

    private static let ports = #""shell_port": 1, "iopub_port": 2, "stdin_port": 3, "control_port": 4, "hb_port": 5"#

    @Test func connectionFilesAreReadOrRefusedInWords() throws {
        let file = try ConnectionFile(
            Array(
                "{\(Self.ports), \"ip\": \"127.0.0.1\", \"key\": \"k\", \"transport\": \"tcp\", \"signature_scheme\": \"hmac-sha256\", \"kernel_name\": \"act\"}"
                    .utf8))
        #expect(file.ip == "127.0.0.1" && file.ports[.heartbeat] == 5 && file.ports[.shell] == 1 && file.key == Array("k".utf8) && file.transport == .tcp)
        #expect(try ConnectionFile(Array("{\(Self.ports)}".utf8)).ip == "127.0.0.1")
        let faults = [
            ("", "empty"), ("{", "not JSON (line 1, column 2)"), ("[]", "not a connection file"), ("{}", "no `shell_port`"), ("nonsense", "not JSON"),
            (#"{"shell_port": 1}"#, "no `iopub_port`"), ("{\(Self.ports), \"curve_secretkey\": \"x\"}", "encryption (`curve_secretkey`)"),
            ("{\(Self.ports), \"curve_publickey\": \"x\"}", "encryption"), ("{\(Self.ports), \"transport\": \"pgm\"}", "transport is `pgm`"),
            ("{\(Self.ports), \"key\": \"x\", \"signature_scheme\": \"hmac-md5\"}", "hmac-md5"), ("{\(Self.ports), \"ip\": 7}", "`ip` is not a string"),
            ("{\(Self.ports), \"ip\": \"\"}", "`ip` is empty"), ("{\(Self.ports), \"hb_port\": 0}", "not the number of a port"),
            ("{\(Self.ports), \"hb_port\": 65536}", "not the number of a port"), ("{\(Self.ports), \"hb_port\": 1.5}", "not the number of a port"),
            ("{\(Self.ports), \"hb_port\": \"5\"}", "not the number of a port"), ("{\(Self.ports), \"hb_port\": 4}", "two channels one port"),
            (String(repeating: "[", count: 100_000), "not JSON"),
        ]
        for (text, reason) in faults { #expect(fault(text)?.contains(reason) == true, "\(text.prefix(80)): \(fault(text) ?? "taken")") }
    }

    // MARK: Frames

    private static let greeting: [UInt8] = [0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 1] + Array("NULL".utf8) + Array(repeating: 0, count: 48)
    private static func ready(_ type: String) -> [UInt8] {
        let body = [5] + Array("READY".utf8) + [11] + Array("Socket-Type".utf8) + [0, 0, 0, UInt8(type.utf8.count)] + Array(type.utf8)
        return [4, UInt8(body.count)] + body
    }

    private func events(_ bytes: [UInt8], _ type: ZMTPSocketType = .router, step: Int = .max, longest: Int = 1 << 20) -> (
        events: [ZMTPStream.Event], fault: ZMTPFault?
    ) {
        var stream = ZMTPStream(type, longest: longest), events: [ZMTPStream.Event] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            do { try stream.receive(rest.prefix(step)) { events.append($0) } } catch { return (events, error as? ZMTPFault) }
            rest = rest.dropFirst(step)
        }
        return (events, nil)
    }

    private func messages(_ events: [ZMTPStream.Event]) -> [ZMTPStream.Event] {
        events.filter { event in if case .answer = event { false } else { true } }
    }

    /// Sizes around those at which the form of a frame changes, cut anywhere.
    @Test func messagesOfAnySizeArrive() {
        let sizes = [0, 1, 254, 255, 256, 257, 65535, 65536, 100_000]
        let sent = sizes.map { [Array(repeating: UInt8(truncatingIfNeeded: $0), count: $0), [7]] } + [sizes.map { Array(repeating: 1, count: $0) }]
        let bytes = Self.greeting + Self.ready("DEALER") + sent.flatMap { ZMTPStream.bytes(of: $0) }
        for step in [1, 7, 64, 65, 4096, bytes.count] {
            let (events, fault) = events(bytes, step: step)
            #expect(fault == nil && messages(events) == [.ready] + sent.map { .message($0) }, "\(step)")
        }
    }

    @Test func subscriptionsComeAsMessagesAndAsCommands() {
        let command = [4, 12, 9] + Array("SUBSCRIBE".utf8) + [97, 98], cancel = [4, 8, 6] + Array("CANCEL".utf8) + [97]
        let (found, fault) = events(Self.greeting + Self.ready("SUB") + [0, 2, 1, 120, 0, 1, 0] + command + cancel, .publisher)
        #expect(fault == nil && messages(found) == [.ready, .subscribe([120]), .cancel([]), .subscribe([97, 98]), .cancel([97])])
    }

    @Test func pingsAreAnswered() {
        let ping = [4, 9, 4] + Array("PING".utf8) + [0, 10, 1, 2]
        let (found, _) = events(Self.greeting + Self.ready("REQ") + ping, .reply)
        #expect(found.last == .answer([4, 7, 4] + Array("PONG".utf8) + [1, 2]))
    }

    @Test func whatIsNoneIsRefused() {
        let open = Self.greeting + Self.ready("DEALER")
        func with(_ index: Int, _ byte: UInt8) -> [UInt8] {
            var greeting = Self.greeting
            greeting[index] = byte
            return greeting
        }
        #expect(events(Array("GET / HTTP/1.1\r\n".utf8)).fault == .foreign)
        #expect(events([1, 0]).fault == .foreign, "ZMTP 1")
        #expect(events(Array(with(10, 1)[..<11])).fault == .foreign, "ZMTP 2")
        #expect(events(with(9, 0x7e)).fault == .foreign)
        #expect(events(with(12, 88)).fault == .mechanism("XULL"))
        #expect(events(with(10, 4) + Self.ready("DEALER")).fault == nil, "a later version speaks ours")
        #expect(events(Self.greeting + Self.ready("PULL")).fault == .socketType("PULL"))
        #expect(events(Self.greeting + Self.ready("DEALER"), .publisher).fault == .socketType("DEALER"))
        #expect(events(Self.greeting + [0, 1, 65]).fault == .malformed, "a message before the handshake")
        for bad: [UInt8] in [[8, 0], [5, 0], [4, 0], [4, 1, 5], [4, 3, 5, 65, 66], [0xff, 1]] { #expect(events(open + bad).fault == .malformed, "\(bad)") }
        // Lengths that nobody has.
        for bytes: [UInt8] in [[0x7f, 0xff, 0xff, 0xff], [0, 0, 0, 0], [0xff, 0xff, 0xff, 0xff]] {
            #expect(events(open + [2] + bytes + [0x80, 0, 0, 0]).fault == .tooLong)
        }
        // Many frames that are too long together, and too many of them.
        #expect(events(open + (0..<20).flatMap { _ in [3, 0, 0, 0, 0, 0, 1, 0, 0] + Array(repeating: 0, count: 65536) }).fault == .tooLong)
        #expect(events(open + (0..<5000).flatMap { _ in [1, 0] as [UInt8] }).fault == .tooLong)
    }

    /// Any change of any byte of a conversation gives messages or one fault.
    @Test func anyBytesAreMessagesOrAFault() {
        let conversation =
            Self.greeting + Self.ready("DEALER") + ZMTPStream.bytes(of: [[1, 2], Array(repeating: 3, count: 300), []]) + [4, 9, 4] + Array("PING".utf8) + [
                0, 1, 2, 3,
            ]
        for index in conversation.indices {
            for byte in UInt8.min...UInt8.max {
                var changed = conversation
                changed[index] = byte
                _ = events(changed, step: 50)
                _ = events(Array(changed[...index]), .publisher)
            }
        }
    }

    // MARK: Moments

    /// Python's datetime.
    @Test func momentsAreReadAndWritten() {
        #expect(Moment.seconds("2026-11-26T06:41:04.125Z") == 1795675264.125)
        #expect(Moment.seconds("2026-11-26T06:41:04.125000+00:00") == 1795675264.125)
        #expect(Moment.seconds("2026-11-26T08:41:04.125+02:00") == 1795675264.125 && Moment.seconds("2026-11-26T01:11:04.125-0530") == 1795675264.125)
        #expect(Moment.seconds("2000-02-29T00:00:00Z") == 951782400 && Moment.seconds("1970-01-01T00:00:00Z") == 0)
        #expect(Moment.text(1795675264.125) == "2026-11-26T06:41:04.125000Z")
        for text in ["", "2026", "2026-13-01T00:00:00Z", "yesterday at noon, or later", "2026-11-26T06:41", "2026-11-26T06:41:04+x"] {
            #expect(Moment.seconds(text) == nil, "\(text)")
        }
        for seconds in stride(from: 0, through: 4e9, by: 12_345_678.5) { #expect(Moment.seconds(Moment.text(seconds)) == seconds) }
    }
}
