// SVG to PNG, PDF or pixels through librsvg and cairo, which are loaded when first asked for: a program that draws no pictures does not
// pay for them, and act builds and runs where they are missing.
//
// What must stay true: documents come as bytes and have no address, so that librsvg fetches nothing that they name; librsvg's own limits
// on elements, depth and texts stay on.

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Turns SVG into pictures with the system's librsvg.
package struct Rasterizer: Sendable {
    /// Why there is no picture.
    package enum Failure: Error, Equatable, Sendable {
        /// librsvg is not installed, or lacks that function.
        case missingLibrary(function: String?)
        /// The system gives no more descriptors, to load it for one.
        case tooManyFiles
        case invalidSVG
        case size(width: Int, height: Int)
        /// cairo could not draw; the number is its status.
        case drawing(status: Int32)
        /// Nobody waits for the picture any more.
        case cancelled
        /// The process that draws has ended.
        case ended
    }

    enum Format: Int64 {
        case png = 1, pdf, pixels
    }

    /// Loads librsvg, once a process, unless another one draws.
    package init() throws {
        if DrawingProcess.current == nil { _ = try RSVGLibrary.shared.get() }
    }

    /// The document as PNG, `scale` pixels for each of its pixels, on white.
    package func png(_ svg: String, width: Int, height: Int, scale: Double = 1) throws -> [UInt8] {
        try bytes(.png, svg, width, height, scale)
    }

    /// The document as a page of PDF, a point for each pixel.
    package func pdf(_ svg: String, width: Int, height: Int) throws -> [UInt8] { try bytes(.pdf, svg, width, height, 1) }

    /// The document as pixels, on white.
    package func pixels(_ svg: String, width: Int, height: Int, scale: Double = 1) throws -> Pixels {
        let bytes = try bytes(.pixels, svg, width, height, scale)
        guard let pixels = Pixels(width: Rasterizer.side(width, scale), height: Rasterizer.side(height, scale), rgba: bytes) else {
            throw Failure.drawing(status: 1)
        }
        return pixels
    }

    private func bytes(_ format: Format, _ svg: String, _ width: Int, _ height: Int, _ scale: Double) throws -> [UInt8] {
        try Rasterizer.check(format, width, height, scale)
        if let process = DrawingProcess.current { return try process.draw(format, svg, width: width, height: height, scale: scale) }
        return try Rasterizer.draw(format, svg, width: width, height: height, scale: scale)
    }

    /// Draws in this process.
    static func draw(_ format: Format, _ svg: String, width: Int, height: Int, scale: Double) throws -> [UInt8] {
        try check(format, width, height, scale)
        let drawing = Drawing(library: try RSVGLibrary.shared.get())
        return switch format {
        case .png: try drawing.png(svg, side(width, scale), side(height, scale))
        case .pdf: try drawing.pdf(svg, width, height)
        case .pixels: try drawing.pixels(svg, side(width, scale), side(height, scale))
        }
    }

    /// About how many bytes a picture takes while it is drawn: the pixels of a PNG, and what librsvg and cairo make of the document, for each of
    /// whose bytes they hold up to 180 (measured with thousands of points), but of embedded images few.
    package static func footprint(_ svg: String, pixels: Int) -> Int {
        let bytes = svg.utf8.count
        let outside = svg.firstRange(of: ";base64,").map { svg.utf8.distance(from: svg.startIndex, to: $0.lowerBound) } ?? bytes
        return pixels &* 4 &+ outside &* 180 &+ (bytes &- outside) &* 8
    }

    private static let maximumSide = 16_384
    /// Of a picture of pixels: twice as many as fill a screen of 4K. Nothing ends librsvg while it draws them.
    private static let maximumPixels = 1 << 24

    private static func check(_ format: Format, _ width: Int, _ height: Int, _ scale: Double) throws {
        let (across, down, side) = (Double(width) * scale, Double(height) * scale, Double(maximumSide))
        guard width > 0, height > 0, scale > 0, across <= side, down <= side, format == .pdf || across * down <= Double(maximumPixels) else {
            throw Failure.size(width: width, height: height)
        }
    }

    /// In pixels of the picture.
    private static func side(_ size: Int, _ scale: Double) -> Int { Int(max((Double(size) * scale).rounded(), 1)) }
}

/// A document drawn once.
private struct Drawing {
    typealias Failure = Rasterizer.Failure

    let library: RSVGLibrary

    func png(_ svg: String, _ width: Int, _ height: Int) throws -> [UInt8] {
        try withImage(svg, width, height) { surface in
            try collecting { context in library.writePNG(surface, collect, context) }
        }
    }

    func pdf(_ svg: String, _ width: Int, _ height: Int) throws -> [UInt8] {
        try collecting { context in
            guard let surface = library.createPDF(collect, context, Double(width), Double(height)) else { return 1 }
            defer { library.destroySurface(surface) }
            try draw(svg, on: surface, width: Double(width), height: Double(height), background: false)
            library.finishSurface(surface)
            return library.surfaceStatus(surface)
        }
    }

    func pixels(_ svg: String, _ width: Int, _ height: Int) throws -> [UInt8] {
        try withImage(svg, width, height) { surface in
            library.flushSurface(surface)
            let (columns, rows) = (Int(library.imageWidth(surface)), Int(library.imageHeight(surface)))
            let stride = Int(library.imageStride(surface))
            guard let data = library.imageData(surface), columns == width, rows == height else { throw Failure.drawing(status: 1) }
            var bytes = [UInt8](repeating: 255, count: columns * rows * 4)
            for row in 0..<rows {
                for column in 0..<columns {
                    // Four bytes in native order, blue lowest.
                    let pixel = (data + row * stride + column * 4).withMemoryRebound(to: UInt32.self, capacity: 1) { $0.pointee }
                    let target = (row * columns + column) * 4
                    bytes[target] = UInt8(truncatingIfNeeded: pixel >> 16)
                    bytes[target + 1] = UInt8(truncatingIfNeeded: pixel >> 8)
                    bytes[target + 2] = UInt8(truncatingIfNeeded: pixel)
                }
            }
            return bytes
        }
    }

    private func withImage<Result>(_ svg: String, _ width: Int, _ height: Int, _ body: (OpaquePointer) throws -> Result) throws -> Result {
        let opaqueFormat: Int32 = 1  // CAIRO_FORMAT_RGB24
        guard let surface = library.createImage(opaqueFormat, Int32(width), Int32(height)) else { throw Failure.drawing(status: 1) }
        defer { library.destroySurface(surface) }
        try draw(svg, on: surface, width: Double(width), height: Double(height), background: true)
        return try body(surface)
    }

    private func draw(_ svg: String, on surface: OpaquePointer, width: Double, height: Double, background: Bool) throws {
        guard let context = library.createContext(surface) else { throw Failure.drawing(status: 1) }
        defer { library.destroyContext(context) }
        if background {
            library.setColor(context, 1, 1, 1)
            library.paint(context)
        }
        var text = svg
        let handle = text.withUTF8 { library.newHandle($0.baseAddress, UInt($0.count), nil) }
        guard let handle else { throw Failure.invalidSVG }
        defer { library.release(handle) }
        var viewport = Viewport(x: 0, y: 0, width: width, height: height)
        guard library.render(handle, context, &viewport, nil) != 0 else { throw Failure.invalidSVG }
        let status = library.contextStatus(context)
        guard status == 0 else { throw Failure.drawing(status: status) }
    }

    /// Gathers what cairo writes while `body` runs.
    private func collecting(_ body: (UnsafeMutableRawPointer) throws -> Int32) throws -> [UInt8] {
        var bytes: [UInt8] = []
        let status = try withUnsafeMutablePointer(to: &bytes) { try body(UnsafeMutableRawPointer($0)) }
        guard status == 0 else { throw Failure.drawing(status: status) }
        return bytes
    }
}

/// Pixels of four bytes (red, green, blue, opacity), row by row from the top.
package struct Pixels: Equatable, Sendable {
    package let width: Int
    package let height: Int
    package let rgba: [UInt8]

    /// `rgba` must have `width` × `height` × 4 bytes; nil otherwise.
    package init?(width: Int, height: Int, rgba: [UInt8]) {
        let (count, overflow) = width.multipliedReportingOverflow(by: height)
        guard width > 0, height > 0, !overflow, count <= rgba.count, rgba.count == count * 4 else { return nil }
        (self.width, self.height, self.rgba) = (width, height, rgba)
    }
}

/// What cairo calls with the bytes that it writes; 0 means success. Anything else ends the writing: packing a large picture takes seconds.
private let collect: RSVGLibrary.Write = { target, data, count in
    guard let target, let data else { return 0 }
    let writeError: Int32 = 11  // CAIRO_STATUS_WRITE_ERROR
    if Cancellation.isRequested() { return writeError }
    target.assumingMemoryBound(to: [UInt8].self).pointee.append(contentsOf: UnsafeBufferPointer(start: data, count: Int(count)))
    return 0
}

/// RsvgRectangle.
private struct Viewport {
    var x, y, width, height: Double
}

/// The functions of librsvg and of the libraries below it, as their headers declare them. `@unchecked`: the libraries stay loaded.
private struct RSVGLibrary: @unchecked Sendable {
    typealias Write = @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<UInt8>?, UInt32) -> Int32

    let newHandle: @convention(c) (UnsafePointer<UInt8>?, UInt, UnsafeMutableRawPointer?) -> OpaquePointer?
    let render: @convention(c) (OpaquePointer, OpaquePointer, UnsafeMutableRawPointer, UnsafeMutableRawPointer?) -> Int32
    let release: @convention(c) (OpaquePointer) -> Void
    let createImage: @convention(c) (Int32, Int32, Int32) -> OpaquePointer?
    let createPDF: @convention(c) (Write, UnsafeMutableRawPointer?, Double, Double) -> OpaquePointer?
    let writePNG: @convention(c) (OpaquePointer, Write, UnsafeMutableRawPointer?) -> Int32
    let destroySurface: @convention(c) (OpaquePointer) -> Void
    let finishSurface: @convention(c) (OpaquePointer) -> Void
    let flushSurface: @convention(c) (OpaquePointer) -> Void
    let surfaceStatus: @convention(c) (OpaquePointer) -> Int32
    let imageData: @convention(c) (OpaquePointer) -> UnsafeMutablePointer<UInt8>?
    let imageWidth: @convention(c) (OpaquePointer) -> Int32
    let imageHeight: @convention(c) (OpaquePointer) -> Int32
    let imageStride: @convention(c) (OpaquePointer) -> Int32
    let createContext: @convention(c) (OpaquePointer) -> OpaquePointer?
    let destroyContext: @convention(c) (OpaquePointer) -> Void
    let contextStatus: @convention(c) (OpaquePointer) -> Int32
    let setColor: @convention(c) (OpaquePointer, Double, Double, Double) -> Void
    let paint: @convention(c) (OpaquePointer) -> Void

    /// The library, or why it could not be loaded; tried once.
    static let shared = Result { try RSVGLibrary() }.mapError { $0 as? Rasterizer.Failure ?? .missingLibrary(function: nil) }

    private static let names = [
        "librsvg-2.so.2", "librsvg-2.2.dylib", "/opt/homebrew/lib/librsvg-2.2.dylib", "/usr/local/lib/librsvg-2.2.dylib",
    ]

    /// Whether a file could be opened (the loader says so in words alone).
    private static var hasDescriptors: Bool {
        let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard descriptor < 0 else { return close(descriptor) == 0 }
        return errno != EMFILE && errno != ENFILE
    }

    private init() throws {
        var handle: UnsafeMutableRawPointer?
        for name in RSVGLibrary.names where handle == nil { handle = dlopen(name, RTLD_NOW | RTLD_LOCAL) }
        guard let handle else { throw RSVGLibrary.hasDescriptors ? Rasterizer.Failure.missingLibrary(function: nil) : .tooManyFiles }
        // A look-up in librsvg also finds what cairo and glib, on which it stands, define.
        func function<Function>(_ name: String) throws -> Function {
            guard let address = dlsym(handle, name) else { throw Rasterizer.Failure.missingLibrary(function: name) }
            return unsafeBitCast(address, to: Function.self)
        }
        newHandle = try function("rsvg_handle_new_from_data")
        render = try function("rsvg_handle_render_document")
        release = try function("g_object_unref")
        createImage = try function("cairo_image_surface_create")
        createPDF = try function("cairo_pdf_surface_create_for_stream")
        writePNG = try function("cairo_surface_write_to_png_stream")
        destroySurface = try function("cairo_surface_destroy")
        finishSurface = try function("cairo_surface_finish")
        flushSurface = try function("cairo_surface_flush")
        surfaceStatus = try function("cairo_surface_status")
        imageData = try function("cairo_image_surface_get_data")
        imageWidth = try function("cairo_image_surface_get_width")
        imageHeight = try function("cairo_image_surface_get_height")
        imageStride = try function("cairo_image_surface_get_stride")
        createContext = try function("cairo_create")
        destroyContext = try function("cairo_destroy")
        contextStatus = try function("cairo_status")
        setColor = try function("cairo_set_source_rgb")
        paint = try function("cairo_paint")
    }
}
