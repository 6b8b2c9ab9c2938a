// The graph. A node is an array that is there already or knows how to be computed.
//
// What must stay true:
// - Shape and element type are known when a node is made; errors of shape are thrown then.
// - A node without data is elementwise and its inputs have data or are such nodes too. Everything else is computed at once.
// - A node with data keeps its inputs only while it is traced, that is, while it depends on a `variable` of a running derivative.
// - Nobody changes the elements of a node that someone else can see: writing needs both node and storage to be unique.

import CActKernels

/// A place in a program, opaque to this library: what `Site.current` was when the node was made.
package struct Site: Equatable, Sendable {
    package var id: UInt32
    package init(id: UInt32) { self.id = id }
    package static let unknown = Site(id: 0)

    /// The place that runs on this thread; new nodes remember it.
    package static var current: Site {
        @inline(__always) get { Site(id: act_site_get()) }
        @inline(__always) set { act_site_set(newValue.id) }
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
    package let primitive: Primitive
    package let shape: [Int]
    package let count: Int
    package let type: ElementType
    package let site: Site
    /// Depends on the `variable` of a derivative that is being taken.
    package let isTraced: Bool
    @exclusivity(unchecked) package internal(set) var inputs: [NDArray]
    @exclusivity(unchecked) package internal(set) var layout: Layout? {
        didSet { elements = layout?.elements(size: type.size) }
    }
    /// The first element, when there is data that is row-major without gaps: what `layout` says, for those in a hurry.
    @exclusivity(unchecked) package private(set) var elements: UnsafeMutableRawPointer?
    /// How many operations would have to run, each counted once for every path to it; 0 with data.
    @exclusivity(unchecked) var pending: Int
    /// Where a walk over the graph notes the position at which it met this node. Left as it is afterwards: a walk must check what it finds.
    @exclusivity(unchecked) package var position = 0

    init(
        _ primitive: Primitive, inputs: [NDArray], shape: [Int], count: Int, type: ElementType, isTraced: Bool, site: Site, layout: Layout?,
        pending: Int = 0
    ) {
        self.primitive = primitive
        self.inputs = inputs
        self.shape = shape
        self.count = count
        self.type = type
        self.isTraced = isTraced
        self.site = site
        self.layout = layout
        self.elements = layout?.elements(size: type.size)
        self.pending = pending
        // Graphs that derivatives trace can grow without any elements.
        if isTraced { MemoryPool.note(Node.footprint) }
    }

    private static let footprint = 256

    /// Lets go of long chains of inputs with a stack of its own: recursion would overflow the thread's.
    deinit {
        if isTraced { MemoryPool.release(Node.footprint) }
        if inputs.isEmpty { return }
        var doomed: [NDArray] = []
        swap(&doomed, &inputs)
        while var array = doomed.popLast() {
            guard !array.node.inputs.isEmpty, isKnownUniquelyReferenced(&array.node) else { continue }
            if doomed.isEmpty {
                swap(&doomed, &array.node.inputs)
            } else {
                doomed.append(contentsOf: array.node.inputs)
                array.node.inputs = []
            }
        }
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
