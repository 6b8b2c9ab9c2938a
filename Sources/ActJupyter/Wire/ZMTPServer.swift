// All sockets of a kernel, served by one thread: who computes never waits for a peer, and echoes and interrupts are answered while a cell runs.
//
// What must stay true: any thread may send; a peer that does not read, speaks something else or goes away in the middle costs its own
// connection and no more; what is kept for a peer that is slow is bounded.

import ActSystem
import ActArray
import CActSystem
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// One connection. `@unchecked`: its stream belongs to the thread that serves, the rest is touched with the server's lock.
package final class ZMTPPeer: @unchecked Sendable {
    fileprivate let descriptor: Int32
    fileprivate let listener: Int
    fileprivate var stream: ZMTPStream
    fileprivate let start = act_seconds()
    fileprivate var isReady = false
    fileprivate var isClosed = false
    fileprivate var subscriptions: [[UInt8]] = []
    private var unsent: [UInt8] = []
    private var sent = 0
    /// For what is not sent yet, and the room behind it.
    private var held = Reservation()

    fileprivate init(_ descriptor: Int32, _ listener: Int, _ stream: consuming ZMTPStream) {
        self.descriptor = descriptor
        self.listener = listener
        self.stream = stream
    }

    fileprivate var isWaiting: Bool { !unsent.isEmpty }

    /// Sends, or keeps what the system does not take now; where too much is kept already, the message is lost, as ZMTP has it.
    fileprivate func send(_ bytes: [UInt8]) {
        guard !isClosed, unsent.isEmpty || unsent.count - sent + bytes.count <= ZMTPServer.mostKept else { return }
        let needed = 2 * (unsent.count + bytes.count)
        // Small messages are not worth counting.
        if needed > 1 << 16, needed > held.bytes, (try? held.grow(by: needed - held.bytes)) == nil { return }
        if sent > 1 << 20 {
            unsent.removeFirst(sent)
            sent = 0
        }
        unsent += bytes
        flush()
    }

    /// Sends what the system takes now.
    fileprivate func flush() {
        while sent < unsent.count {
            let count = unsent.withUnsafeBytes { bytes in
                sendSome(descriptor, UnsafeRawBufferPointer(rebasing: bytes[sent...]))
            }
            if count < 0, errno == EINTR { continue }
            if count < 0 {
                if errno != EAGAIN { isClosed = true }
                return
            }
            sent += count
        }
        (unsent, sent) = ([], 0)
        if held.bytes > 0 { held = Reservation() }
    }
}

private func sendSome(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    #if canImport(Glibc)
    send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
    #else
    send(descriptor, bytes.baseAddress, bytes.count, 0)
    #endif
}

/// `@unchecked`: the lock guards what several threads touch.
package final class ZMTPServer: @unchecked Sendable {
    package enum Fault: Error, Equatable {
        case noPipe
        case noSocket
        case noThread
        case notAnAddress(String)
        case longPath(String)
        /// The system does not let it listen there; `number` is that of its error.
        case cannotListen(at: String, number: Int32)
    }

    /// What a socket does with what comes.
    package struct Listener {
        let type: ZMTPSocketType
        /// Called on the thread that serves: must be short.
        let onMessage: (ZMTPPeer, [[UInt8]]) -> Void
        /// Of a publisher: somebody subscribes to a topic.
        let onSubscription: (ZMTPPeer, [UInt8]) -> Void

        package init(
            _ type: ZMTPSocketType, onMessage: @escaping (ZMTPPeer, [[UInt8]]) -> Void = { _, _ in },
            onSubscription: @escaping (ZMTPPeer, [UInt8]) -> Void = { _, _ in }
        ) {
            (self.type, self.onMessage, self.onSubscription) = (type, onMessage, onSubscription)
        }
    }

    /// No message is longer: the longest cell is a program.
    package static let longestMessage = 1 << 26
    /// Bytes that wait for one peer.
    static let mostKept = 1 << 26
    private static let mostPeers = 256
    private static let mostSubscriptions = 100
    /// No topic of ours is longer, so that nothing begins with it.
    private static let longestTopic = 256
    /// Seconds within which a handshake must be done.
    private static let patience = 30.0

    private let lock = Lock()
    private var listeners: [(descriptor: Int32, behaviour: Listener)] = []
    private var peers: [ZMTPPeer] = []
    /// Files of sockets, to be removed at the end.
    private var paths: [String] = []
    private var isStopping = false
    private var wakeUp: [Int32] = [-1, -1]
    private var thread: SystemThread?
    /// Called on the thread that serves, between two waits: gives the milliseconds until it is to be called again.
    package var onTick: () -> Int32 = { 1000 }
    /// What arrives is read for no session, so that no session's interrupt ends it.
    private let engine = Engine()

    package init() throws(Fault) {
        guard pipe(&wakeUp) == 0 else { throw .noPipe }
        for end in wakeUp { Self.prepare(end) }
    }

    deinit {
        stop()
        for end in wakeUp { close(end) }
    }

    private static func prepare(_ descriptor: Int32) {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    // MARK: Listening

    /// Listens for TCP; before `start`.
    /// - Throws: `Fault`, for what is not an address, for one of another machine, and for one that is taken.
    package func listen(ip: String, port: Int, _ behaviour: Listener) throws(Fault) {
        var hints = addrinfo(), found: UnsafeMutablePointer<addrinfo>?
        hints.ai_family = AF_UNSPEC
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        #if canImport(Glibc)
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
        hints.ai_socktype = SOCK_STREAM
        #endif
        // `*` is ZeroMQ's word for every address.
        guard getaddrinfo(ip == "*" ? nil : ip, String(port), &hints, &found) == 0, let address = found else { throw .notAnAddress(ip) }
        defer { freeaddrinfo(found) }
        let descriptor = socket(address.pointee.ai_family, address.pointee.ai_socktype, 0)
        guard descriptor >= 0 else { throw .noSocket }
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        try add(descriptor, bind(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen), "\(ip):\(port)", behaviour)
    }

    /// Listens at a path; before `start`.
    package func listen(path: String, _ behaviour: Listener) throws(Fault) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else { throw .longPath(path) }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        #if canImport(Glibc)
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        #else
        let descriptor = socket(AF_UNIX, SOCK_STREAM, 0)
        #endif
        guard descriptor >= 0 else { throw .noSocket }
        // What an earlier kernel left there; anything but a socket stays.
        var status = stat()
        if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK { unlink(path) }
        let bound = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        if bound == 0 {
            paths.append(path)
            chmod(path, 0o600)
        }
        try add(descriptor, bound, path, behaviour)
    }

    private func add(_ descriptor: Int32, _ bound: Int32, _ name: String, _ behaviour: Listener) throws(Fault) {
        guard bound == 0, startListening(descriptor, 64) == 0 else {
            let number = errno
            close(descriptor)
            throw .cannotListen(at: name, number: number)
        }
        Self.prepare(descriptor)
        listeners.append((descriptor, behaviour))
    }

    // MARK: Serving

    /// - Throws: `Fault` if the system has no thread.
    package func start() throws(Fault) {
        thread = SystemThread { [engine] in engine.run { self.serve() } }
        if thread == nil { throw .noThread }
    }

    /// Ends all connections.
    package func stop() {
        lock.locked { isStopping = true }
        wake()
        thread?.join()
        thread = nil
        lock.locked {
            for peer in peers {
                peer.isClosed = true
                close(peer.descriptor)
            }
            for listener in listeners { close(listener.descriptor) }
            for path in paths { unlink(path) }
            (peers, listeners, paths) = ([], [], [])
        }
    }

    /// Has `onTick` called soon.
    package func wake() {
        var byte: UInt8 = 0
        _ = write(wakeUp[1], &byte, 1)
    }

    /// Waits until everything has been sent, at most so many seconds.
    package func drain(seconds: Double) {
        let end = act_seconds() + seconds
        while lock.locked({ peers.contains { $0.isWaiting && !$0.isClosed } }), act_seconds() < end { usleep(1000) }
    }

    private func serve() {
        while true {
            let wait = onTick()
            let (sources, watched) = lock.locked { () -> ([pollfd], [ZMTPPeer]) in
                let now = act_seconds()
                for peer in peers where !peer.isReady && now - peer.start > Self.patience { peer.isClosed = true }
                for peer in peers where peer.isClosed { close(peer.descriptor) }
                peers.removeAll(where: \.isClosed)
                var sources = [pollfd(fd: wakeUp[0], events: Int16(POLLIN), revents: 0)]
                sources += listeners.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
                sources += peers.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN) | ($0.isWaiting ? Int16(POLLOUT) : 0), revents: 0) }
                return (isStopping ? [] : sources, peers)
            }
            if sources.isEmpty { return }
            var ready = sources
            guard poll(&ready, nfds_t(ready.count), max(0, wait)) > 0 else { continue }
            if ready[0].revents != 0 { emptyPipe() }
            for index in 0..<ready.count - 1 - watched.count where ready[1 + index].revents != 0 { accept(index) }
            for (peer, source) in zip(watched, ready.suffix(watched.count)) where source.revents != 0 {
                if source.revents & Int16(POLLOUT) != 0 { lock.locked { peer.flush() } }
                if source.revents & ~Int16(POLLOUT) != 0 { receive(peer) }
            }
        }
    }

    private func emptyPipe() {
        var bytes = [UInt8](repeating: 0, count: 256)
        while read(wakeUp[0], &bytes, bytes.count) > 0 {}
    }

    private func accept(_ index: Int) {
        let descriptor = acceptConnection(listeners[index].descriptor)
        guard descriptor >= 0 else {
            // Without descriptors the next look would find the same at once.
            if errno == EMFILE || errno == ENFILE { usleep(10_000) }
            return
        }
        Self.prepare(descriptor)
        var yes: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        // A peer whose machine has gone is found out some time.
        setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &yes, socklen_t(MemoryLayout<Int32>.size))
        #if os(macOS)
        setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &yes, socklen_t(MemoryLayout<Int32>.size))
        #endif
        let peer = ZMTPPeer(descriptor, index, ZMTPStream(listeners[index].behaviour.type, longest: Self.longestMessage))
        lock.locked {
            if peers.count >= Self.mostPeers {
                // Who has said nothing for longest makes room.
                guard let silent = peers.first(where: { !$0.isReady && !$0.isClosed }) else {
                    close(descriptor)
                    return
                }
                silent.isClosed = true
            }
            peers.append(peer)
            peer.send(ZMTPStream.greeting)
        }
    }

    private func receive(_ peer: ZMTPPeer) {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        // Others have their turn after so much.
        for _ in 0..<16 {
            let count = read(peer.descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            guard count > 0, (try? peer.stream.receive(chunk[..<count], { handle($0, from: peer) })) != nil else {
                lock.locked { peer.isClosed = true }
                return
            }
            if count < chunk.count { return }
        }
    }

    private func handle(_ event: ZMTPStream.Event, from peer: ZMTPPeer) {
        let behaviour = listeners[peer.listener].behaviour
        switch event {
        case .answer(let bytes): lock.locked { peer.send(bytes) }
        case .ready: lock.locked { peer.isReady = true }
        case .message(let frames):
            if behaviour.type == .reply { send(frames, to: peer) } else { behaviour.onMessage(peer, frames) }
        case .subscribe(let topic):
            let isTaken = lock.locked { () -> Bool in
                guard peer.subscriptions.count < Self.mostSubscriptions, topic.count <= Self.longestTopic else { return false }
                peer.subscriptions.append(topic)
                return true
            }
            if isTaken { behaviour.onSubscription(peer, topic) }
        case .cancel(let topic):
            lock.locked { if let index = peer.subscriptions.firstIndex(of: topic) { peer.subscriptions.remove(at: index) } }
        }
    }

    // MARK: Sending

    package func send(_ message: [[UInt8]], to peer: ZMTPPeer) {
        let bytes = ZMTPStream.bytes(of: message)
        let isWaiting = lock.locked { () -> Bool in
            peer.send(bytes)
            return peer.isWaiting
        }
        if isWaiting { wake() }
    }

    /// Sends to all who subscribed to the beginning of the first frame.
    package func publish(_ message: [[UInt8]]) {
        guard let topic = message.first else { return }
        let bytes = ZMTPStream.bytes(of: message)
        let isWaiting = lock.locked { () -> Bool in
            var isWaiting = false
            for peer in peers where peer.subscriptions.contains(where: { topic.starts(with: $0) }) {
                peer.send(bytes)
                isWaiting = isWaiting || peer.isWaiting
            }
            return isWaiting
        }
        if isWaiting { wake() }
    }
}

// Inside the class the names are taken by its own functions.
private func startListening(_ descriptor: Int32, _ backlog: Int32) -> Int32 { listen(descriptor, backlog) }
private func acceptConnection(_ descriptor: Int32) -> Int32 { accept(descriptor, nil, nil) }
