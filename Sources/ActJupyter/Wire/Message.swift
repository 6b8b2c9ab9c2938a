// Jupyter's messages (https://jupyter-client.readthedocs.io/en/stable/messaging.html, protocol 5.4) as frames and back:
// who asked, a mark, a signature, header, parent's header, metadata, content, buffers.
//
// What must stay true: the kernel takes nothing but messages, and none whose signature is wrong; what messages hold while they wait is taken
// from the memory limit.

import ActSystem
import ActArray
import ActFiles
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

package struct Message {
    /// Why it cannot be done, although somebody waits for an answer.
    package enum Fault {
        /// Its content is not an object of JSON.
        case unreadable
        /// There is no memory to keep it.
        case tooLarge
    }

    /// What stands before the mark: an answer carries the same.
    package let envelope: [[UInt8]]
    /// As it was written: answers carry it as their parent's.
    package let headerBytes: [UInt8]
    package let header: JSON
    package let content: JSON
    package let fault: Fault?
    private let held: SharedReservation

    fileprivate init(envelope: ArraySlice<[UInt8]>, headerBytes: [UInt8], header: JSON, content: JSON, fault: Fault?, held: SharedReservation) {
        (self.envelope, self.headerBytes, self.header) = (Array(envelope), headerBytes, header)
        (self.content, self.fault, self.held) = (content, fault, held)
    }

    package var type: String { header["msg_type"]?.asText ?? "" }
    /// Seconds since 1970 when it was sent, if it says so.
    package var date: Double? { header["date"]?.asText.flatMap(Moment.seconds) }
}

/// Writes and reads the messages of one kernel. `@unchecked`: the counter is touched with the lock.
package final class MessageForm: @unchecked Sendable {
    package static let version = "5.4"
    static let mark = Array("<IDS|MSG>".utf8)
    private static let none = Array("{}".utf8)

    package let session: String
    private let authentication: MessageAuthentication?
    private let username: String
    private let lock = Lock()
    private var count = 0
    /// Texts are made for no session, so that no session's interrupt ends one in the middle.
    private let engine = Engine()

    package init(key: [UInt8], username: String = "act") {
        authentication = key.isEmpty ? nil : MessageAuthentication(key: key)
        self.username = username
        session = MessageForm.randomName()
    }

    package static func randomName() -> String {
        (0..<4).map { _ in
            let digits = String(UInt32.random(in: .min ... .max), radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }

    /// - Parameter envelope: Who gets it, or the topic of what everybody hears.
    /// - Returns: `nil` if there is no memory for it.
    package func frames(_ type: String, _ content: JSON, envelope: [[UInt8]], parent: Message?, metadata: JSON = .object([])) -> [[UInt8]]? {
        let number = lock.locked { () -> Int in
            count += 1
            return count
        }
        let header: JSON = [
            "msg_id": .text("\(session)_\(number)"), "session": .text(session), "username": .text(username), "date": .text(Moment.text(Moment.now)),
            "msg_type": .text(type), "version": .text(Self.version),
        ]
        guard let texts = engine.run({ try? [header, metadata, content].map { try Array($0.text().utf8) } }) else { return nil }
        let parts = [texts[0], parent?.headerBytes ?? Self.none, texts[1], texts[2]]
        return envelope + [Self.mark, authentication?.signature(of: parts) ?? []] + parts
    }

    /// - Returns: `nil` for what is not a message, or is not signed as it must be. One with a fault has no content.
    package func message(_ frames: [[UInt8]]) -> Message? {
        guard let mark = frames.firstIndex(of: Self.mark), frames.count - mark >= 6 else { return nil }
        let parts = frames[(mark + 2)...(mark + 5)]
        if let authentication, !authentication.isValid(frames[mark + 1], of: parts) { return nil }
        return engine.run {
            // What it takes while it is read is given back; what of it stays is taken anew.
            var reading = Reservation(), content = JSON.object([]), fault: Message.Fault?
            guard let header = try? JSON(frames[mark + 2], mendsText: true, held: &reading), header["msg_type"]?.asText != nil else { return nil }
            do {
                content = try JSON(frames[mark + 5], mendsText: true, held: &reading)
                if case .object = content {} else { fault = .unreadable }
            } catch { fault = error is JSONError ? .unreadable : .tooLarge }
            let held = SharedReservation(), kept = frames[...(mark + 2)].reduce(MessageForm.leastBytes) { $0 &+ 32 &+ $1.count }
            if fault == nil, (try? held.grow(by: kept &+ reading.bytes)) == nil { fault = .tooLarge }
            return Message(
                envelope: frames[..<mark], headerBytes: frames[mark + 2], header: header, content: fault == nil ? content : .object([]), fault: fault,
                held: held)
        }
    }

    /// What a small message takes.
    private static let leastBytes = 1 << 12
}

/// Points in time as ISO 8601 has them: `2026-11-26T06:41:04.123456Z`.
package enum Moment {
    /// Seconds since 1970.
    package static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    package static func text(_ seconds: Double) -> String {
        let micros = Int((seconds * 1e6).rounded(.down)), (whole, rest) = (micros / 1_000_000, micros % 1_000_000)
        var time = time_t(whole), parts = tm()
        gmtime_r(&time, &parts)
        func digits(_ number: Int, _ count: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        let day = "\(digits(Int(parts.tm_year) + 1900, 4))-\(digits(Int(parts.tm_mon) + 1, 2))-\(digits(Int(parts.tm_mday), 2))"
        return "\(day)T\(digits(Int(parts.tm_hour), 2)):\(digits(Int(parts.tm_min), 2)):\(digits(Int(parts.tm_sec), 2)).\(digits(rest, 6))Z"
    }

    /// - Returns: `nil` for what is not such a text.
    package static func seconds(_ text: String) -> Double? {
        let bytes = Array(text.utf8)
        func number(_ start: Int, _ count: Int) -> Int? {
            guard start + count <= bytes.count, bytes[start..<start + count].allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
            return bytes[start..<start + count].reduce(0) { $0 * 10 + Int($1) - 48 }
        }
        guard let year = number(0, 4), let month = number(5, 2), let day = number(8, 2), let hour = number(11, 2), let minute = number(14, 2),
            let second = number(17, 2), 1...12 ~= month, bytes[4] == 45, bytes[7] == 45, bytes[10] | 32 == 116, bytes[13] == 58, bytes[16] == 58
        else { return nil }
        var position = 19, fraction = 0.0, unit = 0.1
        if position < bytes.count, bytes[position] == 46 {
            position += 1
            while let digit = number(position, 1) {
                fraction += Double(digit) * unit
                unit /= 10
                position += 1
            }
        }
        var offset = 0
        if position < bytes.count, bytes[position] == 43 || bytes[position] == 45 {
            guard let hours = number(position + 1, 2) else { return nil }
            let minutes = number(position + 4, 2) ?? number(position + 3, 2) ?? 0
            offset = (hours * 60 + minutes) * (bytes[position] == 45 ? -60 : 60)
        }
        // Days since 1970 of the Gregorian calendar, years beginning in March.
        let (y, m) = month > 2 ? (year, month - 3) : (year - 1, month + 9)
        let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 719_469
        return Double(days * 86400 + hour * 3600 + minute * 60 + second - offset) + fraction
    }
}
