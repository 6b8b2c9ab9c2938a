// The command line as other programs describe it: the manual page and what shells complete. Made of the options that `ActCommand` declares and
// of the rows of `Subcommand`.

import ActArray
import ActFiles
import ActRows
import ArgumentParser

struct CommandGuide {
    enum Shell: String, CaseIterable { case bash, zsh, fish }

    /// An option as it stands before a file or a subcommand.
    struct Option {
        /// `-e`, `--strict`
        let names: [String]
        /// What stands for its value in help; `nil` for a flag.
        let value: String?
        let summary: String
        /// The values that it takes, where they are few.
        let choices: [String]

        var isFolder: Bool { value == "dir" }
    }

    /// What a subcommand takes besides operands.
    private struct Row {
        let name: String
        let summary: String
        let flags: [Parameter]
        let operand: Parameter?
        /// The words that may stand behind its name; empty where files do.
        let choices: [String]

        init(_ subcommand: Subcommand) {
            (name, summary) = (subcommand.name, subcommand.summary)
            let parameters = subcommand.shownParameters
            flags = parameters.filter { $0.kind == .flag || $0.kind == .text }
            operand = parameters.first { $0.kind != .flag && $0.kind != .text }
            if case .words(let words)? = operand?.expected { choices = words } else { choices = [] }
        }

        var words: [String] { flags.map { "--\($0.name)" } + choices }
        var takesFiles: Bool { operand != nil && choices.isEmpty }
    }

    let options: [Option]
    private let rows = Subcommand.rows.map(Row.init)

    init() {
        var held = Reservation()
        defer { _ = held.bytes }
        let tool = try? JSON(Array(ActCommand._dumpHelp().utf8), held: &held)
        options = (tool?["command"]?["arguments"]?.asList ?? []).compactMap { argument in
            let kind = argument["kind"]?.asText, summary = argument["abstract"]?.asText ?? ""
            guard kind == "option" || kind == "flag", argument["shouldDisplay"]?.asFlag != false else { return nil }
            let names = (argument["names"]?.asList ?? []).compactMap { name in
                name["name"]?.asText.map { (name["kind"]?.asText == "long" ? "--" : "-") + $0 }
            }
            return Option(
                names: names, value: kind == "option" ? argument["valueName"]?.asText ?? "value" : nil, summary: summary,
                choices: (argument["allValues"]?.asList ?? []).compactMap(\.asText))
        }
    }

    // MARK: The manual

    /// In the language of man: https://man7.org/linux/man-pages/man7/groff_man.7.html.
    var manual: String {
        let configuration = ActCommand.configuration
        var lines = [
            ".\\\" Made by `act manual`.", ".TH ACT 1 \"\" \"act \(actVersion)\" \"User Commands\"", ".SH NAME",
            "act \\- \(Self.roff(configuration.abstract.prefix(1).lowercased() + configuration.abstract.dropFirst().prefix { $0 != "." }))", ".SH SYNOPSIS",
        ]
        for form in [["[FILE [ARG ...]]"], ["-e TEXT [ARG ...]"], ["- [ARG ...]"]] { lines += [".B act", "[OPTIONS] \(Self.roff(form[0]))", ".br"] }
        for row in Subcommand.rows { lines += [".B \(Self.roff("act " + row.name))", Self.roff(String(row.usage.dropFirst(5 + row.name.utf8.count))), ".br"] }
        lines.removeLast()
        lines += [
            ".SH DESCRIPTION",
            "Without a file, act starts a session: every line is answered by its value. With one it runs the script; everything behind the file is the script's own.",
            "In a session",
            ".B ?",
            "lists what there is, and",
            ".B ?name",
            "explains a function.", ".SH OPTIONS",
        ]
        for option in options {
            let names = option.names.map { "\\fB\(Self.roff($0))\\fR" + (option.value.map { " \\fI\(Self.roff($0))\\fR" } ?? "") }
            lines += [".TP", names.joined(separator: ", "), Self.roff(option.summary)]
            if !option.choices.isEmpty { lines.append("One of " + option.choices.map { "\\fB\(Self.roff($0))\\fR" }.joined(separator: ", ") + ".") }
        }
        lines.append(".SH SUBCOMMANDS")
        for row in Subcommand.rows { lines += [".TP", "\\fB\(Self.roff(row.usage))\\fR", Self.roff(row.summary)] }
        lines += [
            ".SH EXIT STATUS", ".TP", ".B 0", "Success.", ".TP", ".B 1", "An error in the program, or a file that cannot be read.", ".TP", ".B 2",
            "Wrong usage.", ".TP", ".B 130", "Interrupted.", ".SH FILES", ".TP", "\\fI$XDG_STATE_HOME/act/history\\fR",
            "The lines of earlier sessions; below \\fI~/.local/state\\fR where the variable is not set.", ".SH EXAMPLES", ".nf",
            Self.roff("act -e 'softmax([1, 2, 3])'"), Self.roff("act --strict train.act digits.npz"), Self.roff("act check --fix *.act"), ".fi",
        ]
        return lines.joined(separator: "\n") + "\n"
    }

    /// Text of which nothing means anything to man.
    private static func roff(_ text: String) -> String {
        let text = text.replacing("\\", with: "\\e").replacing("-", with: "\\-").replacing("'", with: "\\(aq").replacing("`", with: "\\(ga")
            .replacing("…", with: "...")
        return text.hasPrefix(".") ? "\\&" + text : text
    }

    // MARK: Shells

    func completion(_ shell: Shell) -> String {
        switch shell {
        case .bash: bash
        case .zsh: zsh
        case .fish: fish
        }
    }

    private var names: [String] { options.flatMap(\.names) }
    /// The first words of the subcommands.
    private var commands: [String] {
        rows.map { String($0.name.prefix { $0 != " " }) }
    }

    private var bash: String {
        let values = options.filter { $0.value != nil }
        func pattern(_ options: [Option]) -> String { options.flatMap(\.names).joined(separator: "|") }
        let choices = values.filter { !$0.choices.isEmpty }.map {
            "        \(pattern([$0]))) COMPREPLY=($(compgen -W '\($0.choices.joined(separator: " "))' -- \"$word\")); return ;;"
        }
        let folders = values.filter(\.isFolder), plain = values.filter { $0.choices.isEmpty && !$0.isFolder }
        let cases = rows.map { row in
            let words = (row.name.split(separator: " ").dropFirst().map(String.init) + row.words).joined(separator: " ")
            return "        \(row.name.prefix { $0 != " " })) words='\(words)'; files=\(row.takesFiles ? "1" : "") ;;"
        }
        return """
            # bash completion of act. Made by `act completion bash`.
            _act() {
                local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command='' words files=1 index
                case $previous in
            \(choices.joined(separator: "\n"))
                    \(pattern(folders))) COMPREPLY=($(compgen -d -- "$word")); return ;;
                    \(pattern(plain))) return ;;
                esac
                # The first word that is neither an option nor the value of one.
                for ((index = 1; index < COMP_CWORD; index++)); do
                    case ${COMP_WORDS[index]} in
                        \(pattern(values))) ((index++)) ;;
                        -?*) ;;
                        *) command=${COMP_WORDS[index]}; break ;;
                    esac
                done
                words='\((names + commands).joined(separator: " "))'
                case $command in
                    '') ;;
            \(cases.joined(separator: "\n"))
                    *) words='' ;;
                esac
                COMPREPLY=($(compgen -W "$words" -- "$word"))
                if [[ $files && $word != -* ]]; then COMPREPLY+=($(compgen -f -- "$word")); fi
            }
            complete -o filenames -F _act act

            """
    }

    /// Text inside single quotes of zsh's descriptions: brackets and colons mean something there.
    private static func described(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("[", with: "\\[").replacing("]", with: "\\]").replacing(":", with: "\\:").replacing("'", with: "'\\''")
    }

    private var zsh: String {
        let general = options.map { option -> String in
            let value = option.value.map { value in
                ":\(value):" + (option.isFolder ? "_files -/" : option.choices.isEmpty ? "" : "(\(option.choices.joined(separator: " ")))")
            }
            return option.names.map { "        '\($0)[\(Self.described(option.summary))]\(value ?? "")'" }.joined(separator: " \\\n")
        }
        let cases = rows.map { row in
            var parts = row.flags.map { "'--\($0.name)[]\($0.kind == .text ? ":\($0.name):_files -/" : "")'" }
            for word in row.name.split(separator: " ").dropFirst() { parts.append("'1:what:(\(word))'") }
            if !row.choices.isEmpty {
                parts.append("'1:what:(\(row.choices.joined(separator: " ")))'")
            } else if row.takesFiles {
                parts.append("'*:file:_files'")
            }
            return "            \(row.name.prefix { $0 != " " })) _arguments \(parts.isEmpty ? "''" : parts.joined(separator: " ")) ;;"
        }
        let descriptions = zip(commands, rows).map { "        '\($0):\(Self.described($1.summary))'" }
        return """
            #compdef act
            # zsh completion of act. Made by `act completion zsh`.
            _act() {
                local state line curcontext=$curcontext
                local -a commands
                commands=(
            \(descriptions.joined(separator: "\n"))
                )
                _arguments -C \\
            \(general.joined(separator: " \\\n")) \\
                    '1:file or command:->first' \\
                    '*::argument:->rest'
                case $state in
                    first)
                        _describe -t commands command commands
                        _files
                        ;;
                    rest)
                        case $line[1] in
            \(cases.joined(separator: "\n"))
                            *) _files ;;
                        esac
                        ;;
                esac
            }
            if [ "$funcstack[1]" = _act ]; then _act "$@"; else compdef _act act; fi

            """
    }

    private var fish: String {
        func quoted(_ text: String) -> String { "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'" }
        var lines = ["# fish completion of act. Made by `act completion fish`."]
        let isFirst = "'not __fish_seen_subcommand_from \(commands.joined(separator: " "))'"
        for option in options {
            var words = ["complete -c act -n", isFirst]
            for name in option.names { words.append(name.hasPrefix("--") ? "-l \(name.dropFirst(2))" : "-s \(name.dropFirst())") }
            if option.isFolder { words.append("-x -a '(__fish_complete_directories)'") } else if option.value != nil { words.append("-x") }
            if !option.choices.isEmpty { words.append("-a \(quoted(option.choices.joined(separator: " ")))") }
            lines.append((words + ["-d", quoted(option.summary)]).joined(separator: " "))
        }
        for (command, row) in zip(commands, rows) {
            lines.append("complete -c act -n \(isFirst) -a \(command) -d \(quoted(row.summary))")
            let condition = "'__fish_seen_subcommand_from \(command)'"
            for flag in row.flags { lines.append("complete -c act -n \(condition) -l \(flag.name)\(flag.kind == .text ? " -r" : "")") }
            let words = row.name.split(separator: " ").dropFirst().map(String.init) + row.choices
            if !words.isEmpty { lines.append("complete -c act -n \(condition) -f -a \(quoted(words.joined(separator: " ")))") }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
