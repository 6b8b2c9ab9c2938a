// What makes a program known to Jupyter as a kernel: a folder with a description and a picture.
// https://jupyter-client.readthedocs.io/en/stable/kernels.html#kernel-specs

import ActFiles

package enum KernelSpec {
    /// The name of its folder.
    package static let name = "act"

    /// The files of the folder.
    /// - Parameters:
    ///   - executable: The path of act, or a name to be looked up.
    ///   - lexer: See `Kernel`; `nil` for the common one.
    package static func files(executable: String, lexer: String? = nil) -> [(name: String, text: String)] {
        let options: [JSON] = lexer.map { ["--lexer", .text($0)] } ?? []
        let description: JSON = [
            "argv": .list([.text(executable), "kernel"] + options + ["{connection_file}"]), "display_name": "act", "language": "act",
            "interrupt_mode": "message",
            "metadata": .object([]),
        ]
        return [("kernel.json", ((try? description.text()) ?? "") + "\n"), ("logo-svg.svg", logo)]
    }

    /// relu and its smooth kin.
    private static let logo = """
        <svg xmlns="http://www.w3.org/2000/svg" width="64" height="64" viewBox="0 0 64 64">
        <rect width="64" height="64" rx="12" fill="#1b1b1f"/>
        <path d="M8 46 H56 M32 8 V56" stroke="#666" stroke-width="1.5" fill="none"/>
        <path d="M8 45 C26 45 28 44 34 37 C40 30 46 22 54 12" stroke="#4aa3df" stroke-width="4" fill="none" stroke-linecap="round"/>
        <path d="M8 46 H32 L56 14" stroke="#ff8c42" stroke-width="4" fill="none" stroke-linecap="round" stroke-linejoin="round"/>
        </svg>

        """

    /// The folder of kernels below one of Jupyter's folders of data.
    package static func folder(data: String) -> String { "\(data)/kernels/\(name)" }

    /// Jupyter's own folder of the user.
    /// - Parameter variable: Gives the variables of the environment.
    package static func userData(_ variable: (String) -> String?, home: String) -> String {
        if let folder = variable("JUPYTER_DATA_DIR"), !folder.isEmpty { return folder }
        #if os(macOS)
        return "\(home)/Library/Jupyter"
        #else
        if let folder = variable("XDG_DATA_HOME"), folder.hasPrefix("/") { return "\(folder)/jupyter" }
        return "\(home)/.local/share/jupyter"
        #endif
    }
}
