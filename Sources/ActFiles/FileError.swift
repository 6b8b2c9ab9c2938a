/// What can go wrong with a file, as data: the wording is ActLanguage's.
package struct FileError: Error, Equatable {
    /// As messages name the file; of an archive with the name of what lies in it.
    package let path: String
    package let fault: FileFault

    package init(_ path: String, _ fault: FileFault) {
        self.path = path
        self.fault = fault
    }
}

package enum FileFault: Equatable, Sendable {
    // Where it is
    case emptyPath
    case nulInPath
    /// What should be a folder is something else, or is not there.
    case noFolder
    /// The folder of a file that is to be written does not exist.
    case folderMissing
    case deadLink
    /// A call of the system failed; `code` is its `errno`.
    case system(code: Int32)

    // What it holds
    case isNot(Format)
    case endsEarly
    case fewBytes(elements: Int, size: Int, found: Int)
    /// Bytes after the elements that a header promises.
    case bytesLeft(Int)
    case bytesFollow(Int)
    /// A whole number that an f64 cannot hold.
    case inexactElement(Int, digits: String)
    case damagedHeader
    case recordElements
    case unknownNpyVersion(Int, Int)
    case unknownNpyType(String)
    case unknownIdxType(Int)

    // Archives and compression
    case arrayTwice(String)
    case damagedArchive
    case wrongChecksum
    case encryptedArchive
    case unknownCompression(method: Int)
    case damagedCompression
    case noZlib
    case unusableZlib

    // Text
    case unknownEncoding(String)
    case noIconv
    /// A byte, counted from 1, that begins no character of the encoding.
    case badByte(Int, encoding: String)

    package enum Format: Sendable { case npy, npz, idx, gz }
}
