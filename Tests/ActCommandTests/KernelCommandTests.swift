// `act kernel` and `act jupyter install` as a front end and a person meet them.

import ActTestSupport
import Testing

@Suite struct KernelCommandTests {
    @Test func badConnectionFilesAreRefusedInWords() throws {
        try withFolder { folder in
            let ports = #""shell_port": 1, "iopub_port": 2, "stdin_port": 3, "control_port": 4, "hb_port": 5"#
            for (text, reason) in [
                ("", "it is empty"), ("{\"shell_port\":", "it is not JSON (line 1, column 15)"), ("{}", "it has no `shell_port`"),
                ("{\(ports), \"curve_secretkey\": \"x\"}", "it asks for encryption"), ("{\(ports), \"transport\": \"udp\"}", "act speaks tcp and ipc"),
                ("{\(ports), \"ip\": \"203.0.113.7\"}", "it is not an address of this machine"),
                ("{\(ports), \"ip\": \"not an address\"}", "`not an address` is not an address"),
                ("{\(ports), \"transport\": \"ipc\", \"ip\": \"\(folder)/none/x\"}", "there is no such folder"),
                ("{\(ports), \"transport\": \"ipc\", \"ip\": \"\(folder)/\(String(repeating: "x", count: 200))\"}", "too long for a socket"),
            ] {
                try write(text, to: folder + "/c.json")
                let result = try BuiltCommand.run(["kernel", folder + "/c.json"], seconds: 20)
                #expect(result.status == 1 && result.error.contains(reason), "\(text): \(result.error)")
            }
            #expect(try BuiltCommand.run(["kernel", folder + "/none.json"]).error.contains("cannot read"))
            #expect(try BuiltCommand.run(["kernel"]).status == 2)
            #expect(try BuiltCommand.run(["kernel", "a", "b"]).status == 2)
        }
    }

    @Test func theKernelIsInstalledWhereItIsWanted() throws {
        try withFolder { folder in
            let result = try BuiltCommand.run(["jupyter", "install", "--prefix", folder + "/a/b"])
            #expect(result.status == 0 && result.output.contains("share/jupyter/kernels/act"), "\(result.error)")
            let spec = try ScriptFile.text(of: folder + "/a/b/share/jupyter/kernels/act/kernel.json")
            #expect(spec.contains(#""kernel","{connection_file}""#) && spec.contains(#""language":"act""#) && spec.contains("/act\""))
            #expect(try ScriptFile.text(of: folder + "/a/b/share/jupyter/kernels/act/logo-svg.svg").hasPrefix("<svg"))
            for environment in [["HOME": folder + "/home"], ["JUPYTER_DATA_DIR": folder + "/data", "HOME": "/none"]] {
                #expect(try BuiltCommand.run(["jupyter", "install", "--user"], environment: environment).status == 0)
            }
            #expect(try ScriptFile.text(of: folder + "/data/kernels/act/kernel.json") == spec)
            #expect(try BuiltCommand.run(["jupyter", "install", "--prefix=/proc/none"]).status == 1)
            for wrong in [
                ["jupyter"], ["jupyter", "remove"], ["jupyter", "install", "--prefix"], ["jupyter", "install", "--perfix", "x"], ["jupyter", "install", "x"],
            ] {
                #expect(try BuiltCommand.run(wrong).status == 2, "\(wrong)")
            }
        }
    }
}
