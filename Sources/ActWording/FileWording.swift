// What is wrong with files, in words that follow "`path`: ".

import ActFiles
import ActMachine
import ActSyntax
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension FileFault {
    package var words: String { message.text }

    private var message: Message {
        switch self {
        // Where it is
        case .emptyPath: "the path is empty"
        case .nulInPath: "a path holds no NUL characters"
        case .noFolder: "there is no such folder"
        case .folderMissing: "the folder does not exist"
        case .deadLink: "it is a link that leads nowhere"
        case .system(let code): Self.words(ofSystem: code)

        // What it holds
        case .isNot(let format): "it is not \(format.words)"
        case .endsEarly: "it ends too early"
        case .fewBytes(let elements, let size, let found): "it ends too early: \(elements) elements of \(size) bytes are promised, \(found) bytes are there"
        case .bytesLeft(let count): "its header promises fewer elements: after them \(count) bytes are left over"
        case .bytesFollow(let count): "\(count) bytes follow its array"
        case .inexactElement(let index, let digits): "element \(index) is \(digits), which an f64 cannot hold exactly"
        case .damagedHeader: "its header is damaged"
        case .recordElements: "its elements are records; one array of numbers or bools is needed"
        case .unknownNpyVersion(let major, let minor): "version \(major).\(minor) of .npy is not known"
        case .unknownNpyType(let type): "its elements are of type `\(type)`; numbers (f2, f4, f8, bfloat16, i1 to i8, u1 to u8) and bools are read"
        case .unknownIdxType(let code): "it is not an IDX file: element type \(code) is not known"

        // Archives and compression
        case .arrayTwice(let name): "it holds `\(name)` twice"
        case .damagedArchive: "the archive is damaged"
        case .wrongChecksum: "the archive is damaged: its checksum differs"
        case .encryptedArchive: "the archive is encrypted"
        case .unknownCompression(let method): "its compression (method \(method)) is not known"
        case .damagedCompression: "its compressed data are damaged"
        case .noZlib: "it is compressed, and zlib (the package zlib1g) is not installed"
        case .unusableZlib: "zlib cannot be used"

        // Text
        case .unknownEncoding(let name): "the encoding `\(name)` is not known"
        case .noIconv: "this system has no iconv, so only UTF-8 is read"
        case .badByte(let byte, let encoding): "byte \(byte) is not valid \(encoding)"
        }
    }

    private static func words(ofSystem code: Int32) -> Message {
        switch code {
        case ENOENT: "there is no such file"
        case ENOTDIR: "a part of its path is not a folder"
        case EACCES, EPERM: "permission is denied"
        case EISDIR: "it is a folder, not a file"
        case ENOSPC: "the disk is full"
        case EDQUOT: "the disk quota is used up"
        case EROFS: "the disk cannot be written to"
        case ENAMETOOLONG: "the name is too long"
        case ELOOP: "its links lead in a circle"
        case EFBIG: "the file would become too large"
        case EMFILE, ENFILE: "too many files are open"
        case EIO: "the disk reports an error"
        case EPIPE: "nobody reads it any more"
        default: "the system reports error \(code)"
        }
    }
}

extension FileFault.Format {
    fileprivate var words: String {
        switch self {
        case .npy: "a .npy file"
        case .npz: "a .npz file"
        case .idx: "an IDX file"
        case .gz: "a .gz file"
        }
    }
}
