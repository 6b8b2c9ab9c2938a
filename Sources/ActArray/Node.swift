// The graph. A node is an array that is there already or knows how to be computed.
//
// What must stay true:
// - Shape and element type are known when a node is made, and stay (but for a vector that grows, see `grow`); errors of shape are thrown
//   then.
// - A node without data is elementwise and its inputs have data or are such nodes too. Everything else is computed at once. (But for abstract
//   nodes, which are never computed: see AbstractRun.swift.)
// - A node with data keeps its inputs only while it is traced, that is, while it depends on a `variable` of a running derivative.
// - Nobody changes the elements of a node that someone else can see: writing needs both node and storage to be unique.

import CActKernels

/// A place in a program, opaque to this library: what `Site.current` was when the node was made.
package struct Site: Equatable, Sendable {
    package var id: UInt32
    /// Which call of a function made it whose operations count as one; 0 for an operation that counts by itself.
    package var call: UInt32

    @inlinable package init(id: UInt32, call: UInt32 = 0) {
        self.id = id
        self.call = call
    }

    package static let unknown = Site(id: 0)

    /// The place that runs on this thread; new nodes remember it.
    package static var current: Site {
        @inline(__always) get {
            let context = act_context()
            return Site(id: context.pointee.site, call: context.pointee.call)
        }
        @inline(__always) set {
            let context = act_context()
            context.pointee.site = newValue.id
            context.pointee.call = newValue.call
        }
    }
}

/// Where a node's elements are: `strides` (in elements) is `nil` for row-major without gaps.
package struct Layout {
    package internal(set) var storage: Storage
    package var offset: Int
    package var strides: [Int]?

    /// The first element, if the array is row-major without gaps.
    @inline(__always)
    fileprivate func elements(size: Int) -> UnsafeMutableRawPointer? {
        strides == nil ? storage.pointer + offset &* size : nil
    }
}

package final class Node {
    // (The first three are read in C as well, by the machine: `act_node`.)
    /// What `layout` and `shape` say, for who reads or writes single elements.
    @exclusivity(unchecked) private var view: act_view
    @exclusivity(unchecked) package private(set) var shape: [Int]
    package let type: ElementType
    package let primitive: Primitive
    package var count: Int { view.count }
    package let site: Site
    /// Depends on the `variable` of a derivative that is being taken.
    package let isTraced: Bool
    /// Which operation it is, if it is elementwise and may still have to be computed.
    let code: ElementwiseCode
    /// An operand that is a number is not an input, unless the node is traced; it takes the element type of the other operand.
    let number: WeakNumber
    @exclusivity(unchecked) package internal(set) var inputs: Inputs
    // What `layout` says, apart: whether the storage is held by others too can be asked in place.
    @exclusivity(unchecked) private var storage: Storage?
    @exclusivity(unchecked) private var offset = 0
    @exclusivity(unchecked) private var strides: [Int]?
    /// The first element, when there is data that is row-major without gaps: what `layout` says, at hand. Good while the node has this layout.
    package var elements: UnsafeMutableRawPointer? { @inline(__always) get { view.first } }
    /// Of a vector that no derivative follows, the number of elements; of every other array 0.
    package var length: Int { view.length }
    /// How many operations would have to run, each counted once for every path to it; 0 with data.
    @exclusivity(unchecked) var pending: Int
    /// Where a walk over the graph notes the position at which it met this node. Left as it is afterwards: a walk must check what it finds.
    @exclusivity(unchecked) package var position = 0
    private let held: Reservation

    /// A node with data.
    package init(_ primitive: Primitive, inputs: Inputs, shape: [Int], count: Int, type: ElementType, isTraced: Bool, site: Site, layout: Layout?) {
        self.primitive = primitive
        self.inputs = inputs
        self.shape = shape
        self.type = type
        self.isTraced = isTraced
        self.site = site
        storage = layout?.storage
        offset = layout?.offset ?? 0
        strides = layout?.strides
        view = Node.view(of: shape, count, type, layout, isTraced: isTraced)
        code = isTraced ? ElementwiseCode(primitive) : .none
        number = .none
        pending = 0
        // Graphs that derivatives trace, or of abstract arrays, can grow without any elements.
        held = isTraced || layout == nil ? Reservation(noting: Node.footprint) : Reservation()
    }

    /// An elementwise operation that is computed when its value is needed.
    init(
        deferred primitive: Primitive, inputs: Inputs, number: WeakNumber = .none, shape: [Int], count: Int, type: ElementType, isTraced: Bool,
        pending: Int
    ) {
        self.primitive = primitive
        self.inputs = inputs
        self.shape = shape
        self.type = type
        self.isTraced = isTraced
        site = .current
        view = Node.view(of: shape, count, type, nil, isTraced: isTraced)
        code = ElementwiseCode(primitive)
        self.number = number
        self.pending = pending
        held = isTraced ? Reservation(noting: Node.footprint) : Reservation()
    }

    private static let footprint = 256

    @inline(__always)
    private static func view(of shape: [Int], _ count: Int, _ type: ElementType, _ layout: Layout?, isTraced: Bool) -> act_view {
        let (first, storage) = place(layout, type)
        return act_view(
            first: first, storage: storage, length: !isTraced && shape.count == 1 ? count : 0, columns: !isTraced && shape.count == 2 ? shape[1] : 0,
            count: count)
    }

    @inline(__always)
    private static func place(_ layout: Layout?, _ type: ElementType) -> (first: UnsafeMutableRawPointer?, storage: UnsafeRawPointer?) {
        guard let layout else { return (nil, nil) }
        return (layout.elements(size: type.size), UnsafeRawPointer(Unmanaged.passUnretained(layout.storage).toOpaque()))
    }

    /// Where the elements are, if they are there.
    package internal(set) var layout: Layout? {
        @inline(__always) get { storage.map { Layout(storage: $0, offset: offset, strides: strides) } }
        set {
            storage = newValue?.storage
            offset = newValue?.offset ?? 0
            strides = newValue?.strides
            (view.first, view.storage) = Node.place(newValue, type)
        }
    }

    /// A vector gets one element more, which whoever holds the only reference has put behind the last; in another place if it had to move.
    func grow(movingTo layout: Layout? = nil) {
        if let layout { self.layout = layout }
        shape[0] &+= 1
        view.count &+= 1
        view.length &+= 1
    }

    /// Whether it stands for elements that are not known.
    var isAbstract: Bool { @inline(__always) get { storage == nil && pending == 0 } }

    /// Whether no other node shows these elements: whoever holds the only reference to this one may write them then.
    package var isOnlyUserOfStorage: Bool { isKnownUniquelyReferenced(&storage) }

    /// Lets go of long chains of inputs with a stack of its own: recursion would overflow the thread's. Only traced and abstract nodes make
    /// them: of others no more wait than `pendingLimit` allows.
    deinit {
        guard isTraced || isAbstract, inputs.leadFurther else { return }
        var doomed = Array(inputs)
        inputs = []
        while var array = doomed.popLast() {
            guard !array.node.inputs.isEmpty, isKnownUniquelyReferenced(&array.node) else { continue }
            doomed.append(contentsOf: array.node.inputs)
            array.node.inputs = []
        }
    }
}

/// An operand that is a number: of a node's two operands the first or the second, or none.
struct WeakNumber {
    enum Place: UInt8 { case none, first, second }
    let place: Place
    let value: Double

    static let none = WeakNumber(place: .none, value: 0)
    static func first(_ value: Double) -> WeakNumber { WeakNumber(place: .first, value: value) }
    static func second(_ value: Double) -> WeakNumber { WeakNumber(place: .second, value: value) }

    /// Its bits in an element type.
    func bits(_ type: ElementType) -> UInt64 {
        switch type {
        case .f64: value.bitPattern
        case .f32: UInt64(Float(value).bitPattern)
        case .bool: value != 0 ? 1 : 0
        }
    }
}

/// What a node is computed from. Two arrays are held in place, so that the node of an operation is one piece of memory.
package struct Inputs: RandomAccessCollection, ExpressibleByArrayLiteral {
    package private(set) var first: Node?, second: Node?
    private var others: [NDArray] = []

    package init() {}

    package init(_ first: NDArray, _ second: NDArray? = nil, _ third: NDArray? = nil) {
        self.first = first.node
        self.second = second?.node
        if let third { others = [third] }
    }

    package init(_ arrays: [NDArray]) {
        if arrays.count > 0 { first = arrays[0].node }
        if arrays.count > 1 { second = arrays[1].node }
        if arrays.count > 2 { others = Array(arrays[2...]) }
    }

    package init(arrayLiteral elements: NDArray...) { self.init(elements) }

    package var third: Node? { others.first?.node }
    package var startIndex: Int { 0 }
    package var endIndex: Int { first == nil ? 0 : second == nil ? 1 : 2 &+ others.count }
    package var isEmpty: Bool { first == nil }

    package subscript(_ index: Int) -> NDArray {
        if index == 0, let first { return NDArray(node: first) }
        if index == 1, let second { return NDArray(node: second) }
        return others[index &- 2]
    }

    /// Whether the place at `index` holds the only reference to its node.
    mutating func isUnique(_ index: Int) -> Bool {
        switch index {
        case 0: isKnownUniquelyReferenced(&first)
        case 1: isKnownUniquelyReferenced(&second)
        default: isKnownUniquelyReferenced(&others[index &- 2].node)
        }
    }

    /// Puts another node in the place at `index`.
    mutating func replace(_ index: Int, by node: Node) {
        switch index {
        case 0: first = node
        case 1: second = node
        default: others[index &- 2] = NDArray(node: node)
        }
    }

    /// Whether some input has inputs itself.
    fileprivate var leadFurther: Bool {
        first?.inputs.first != nil || second?.inputs.first != nil || others.contains { !$0.node.inputs.isEmpty }
    }
}

/// An array: a value of any shape, rank 0 included (a traced number), held by one reference.
package struct NDArray {
    package internal(set) var node: Node

    package init(node: Node) { self.node = node }

    /// An array of rows without gaps in memory that is filled already.
    package init(storage: Storage, shape: [Int], count: Int, type: ElementType) {
        self.init(data: Layout(storage: storage, offset: 0, strides: nil), shape: shape, count: count, type: type)
    }

    package var shape: [Int] { node.shape }
    package var count: Int { node.count }
    package var rank: Int { node.shape.count }
    package var type: ElementType { node.type }
    package var isTraced: Bool { node.isTraced }
}
