// What goes through the pipes between this process and the one that draws for it: numbers of eight bytes, the last of them how many bytes follow.

#if os(Linux)

import Glibc

struct DrawingRequest {
    /// `nil`: the picture that is being drawn is not wanted any more.
    let format: Rasterizer.Format?
    let width: Int
    let height: Int
    let scale: Double
    let document: [UInt8]

    static let longest = 1 << 30
    static let cancellation = words([0, 0, 0, 0, 0])

    var bytes: [UInt8] {
        words([format?.rawValue ?? 0, Int64(width), Int64(height), Int64(bitPattern: scale.bitPattern), Int64(document.count)]) + document
    }

    init(format: Rasterizer.Format, width: Int, height: Int, scale: Double, document: [UInt8]) {
        (self.format, self.width, self.height, self.scale, self.document) = (format, width, height, scale, document)
    }

    /// - Returns: `nil` at the end.
    init?(from descriptor: Int32) {
        guard let head = get(40, descriptor) else { return nil }
        let count = word(head, 4)
        guard (0...DrawingRequest.longest).contains(count), let document = get(count, descriptor) else { return nil }
        format = Rasterizer.Format(rawValue: Int64(word(head, 0)))
        (width, height) = (word(head, 1), word(head, 2))
        scale = Double(bitPattern: UInt64(bitPattern: Int64(word(head, 3))))
        self.document = document
    }
}

struct DrawingAnswer {
    private let failure: Rasterizer.Failure?
    private let content: [UInt8]

    static let longest = 1 << 31

    init(_ result: Result<[UInt8], Error>) {
        switch result {
        case .success(let bytes): (failure, content) = (nil, bytes)
        case .failure(let error): (failure, content) = (error as? Rasterizer.Failure ?? .ended, [])
        }
    }

    /// - Returns: `nil` at the end, and for what is not an answer.
    init?(from descriptor: Int32) {
        guard let head = get(24, descriptor) else { return nil }
        let count = word(head, 2)
        guard (0...DrawingAnswer.longest).contains(count), let content = get(count, descriptor) else { return nil }
        self.init(kind: word(head, 0), number: word(head, 1), content)
    }

    /// What a copy of the process wrote, which may be anything.
    init(whole bytes: [UInt8]) {
        guard bytes.count >= 24, word(bytes, 2) == bytes.count - 24 else {
            self.init(.failure(Rasterizer.Failure.ended))
            return
        }
        self.init(kind: word(bytes, 0), number: word(bytes, 1), Array(bytes[24...]))
    }

    private init(kind: Int, number: Int, _ content: [UInt8]) {
        failure =
            switch kind {
            case 0: nil
            case 1: .missingLibrary(function: content.isEmpty ? nil : String(decoding: content, as: UTF8.self))
            case 2: .invalidSVG
            case 3: .size(width: 0, height: 0)
            case 4: .drawing(status: Int32(truncatingIfNeeded: number))
            case 5: .cancelled
            case 7: .tooManyFiles
            default: .ended
            }
        self.content = content
    }

    var bytes: [UInt8] {
        var (kind, number, content) = (Int64(0), Int64(0), content)
        switch failure {
        case nil: break
        case .missingLibrary(let function): (kind, content) = (1, Array((function ?? "").utf8))
        case .invalidSVG: kind = 2
        case .size: kind = 3
        case .drawing(let status): (kind, number) = (4, Int64(status))
        case .cancelled: kind = 5
        case .ended: kind = 6
        case .tooManyFiles: kind = 7
        }
        return words([kind, number, Int64(content.count)]) + content
    }

    func result(_ width: Int, _ height: Int) throws -> [UInt8] {
        switch failure {
        case nil: return content
        case .size: throw Rasterizer.Failure.size(width: width, height: height)
        case let failure?: throw failure
        }
    }
}

private func words(_ words: [Int64]) -> [UInt8] { words.withUnsafeBytes { Array($0) } }

private func word(_ bytes: [UInt8], _ index: Int) -> Int {
    bytes.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: index * 8, as: Int64.self)) }
}

func put(_ bytes: [UInt8], _ descriptor: Int32) -> Bool {
    bytes.withUnsafeBytes { buffer in
        var done = 0
        while done < buffer.count, let base = buffer.baseAddress {
            let count = write(descriptor, base + done, buffer.count - done)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return false }
            done += count
        }
        return true
    }
}

private func get(_ count: Int, _ descriptor: Int32) -> [UInt8]? {
    var isWhole = true
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        while filled < count, let base = buffer.baseAddress {
            let got = read(descriptor, base + filled, count - filled)
            if got < 0, errno == EINTR { continue }
            if got <= 0 {
                isWhole = false
                return
            }
            filled += got
        }
    }
    return isWhole ? bytes : nil
}

#endif
