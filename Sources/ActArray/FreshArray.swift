// An array while its elements are written: by this code alone, on several threads perhaps, each its own part.
//
// What must stay true: nobody else sees the memory before `finished` makes an array of it, and pointers to it are used no longer than the
// fresh array lives. It cannot be copied, so there is one place where that ends.

package struct FreshArray: ~Copyable {
    private let storage: Storage
    private let shape: [Int]
    private let type: ElementType
    package let count: Int

    /// - Parameter value: What all elements are at first; without one, whatever the memory held.
    /// - Throws: `ArrayError.outOfMemory`, `tooLarge`.
    package init(shape: [Int], type: ElementType, filledWith value: Double? = nil) throws {
        let count = try Shapes.count(shape)
        let memory: Storage
        if let value {
            memory = try NDArray.full(value, shape: shape, type: type).contiguous().evaluatedLayout().storage
        } else {
            memory = try Storage(byteCount: count &* type.size)
        }
        (storage, self.shape, self.type, self.count) = (memory, shape, type, count)
    }

    /// The elements, row-major.
    package var bytes: UnsafeMutableRawPointer { storage.pointer }
    package func elements<T>(of _: T.Type) -> UnsafeMutablePointer<T> { storage.pointer.assumingMemoryBound(to: T.self) }

    /// The array. Nothing is written to it any more.
    package consuming func finished() -> NDArray {
        NDArray(data: Layout(storage: storage, offset: 0, strides: nil), shape: shape, count: count, type: type)
    }
}
