// The syntax file of Vim and Neovim (`:help syntax`).
//
// What must stay true: Vim prefers what is defined later, but keywords to everything else.

extension GrammarTable {
    /// What `syntax keyword` takes for options of its own, wherever they stand.
    private static let optionsOfVim: Set = [
        "cchar", "conceal", "concealends", "contained", "containedin", "contains", "display", "excludenl", "extend", "fold", "grouphere", "groupthere",
        "keepend", "matchgroup", "nextgroup", "oneline", "skip", "skipempty", "skipnl", "skipwhite", "transparent",
    ]

    var vim: String {
        func keyword(_ group: String, _ words: [String]) -> String {
            let plain = Self.wrapped(words.filter { !Self.optionsOfVim.contains($0) }, separator: " ", indent: "syntax keyword \(group) ", width: 120)
            let others = words.filter { Self.optionsOfVim.contains($0) }
            return plain + (others.isEmpty ? "" : "\nsyntax match \(group) #\\<\\%(\(others.joined(separator: "\\|"))\\)\\>#")
        }
        return """
            " Made by `act grammar vim`.
            " Vim syntax file
            " Language: act

            if exists("b:current_syntax")
              finish
            endif

            syntax iskeyword @,48-57,_,170,181,186,192-255
            syntax sync fromstart

            syntax cluster actExpression \
            contains=actComment,actBlockText,actLineText,actNumber,actControl,actWordOperator,actLiteral,actFunction,actMaker,actConstant,actName,actInside,actSign

            syntax match actSign #[-+*/%@^=<>!|.,:;'&~?$\\\\]#
            " Letters that Vim takes for signs: subscript digits, Roman numerals, letters of mathematics.
            syntax match actName #\\d\\@!\\%(\\k\\|[\\u2080-\\u2089\\u2160-\\u2188\\U1d400-\\U1d4ff\\U1d500-\\U1d5ff\\U1d600-\\U1d6ff\\U1d700-\\U1d7ff]\\)\\+#
            syntax match actNumber \
            #0[xX][0-9A-Fa-f_]*\\|0[bB][01_]*\\|\\%([0-9][0-9_]*\\%(\\.\\%([0-9][0-9_]*\\|\\%([eE][+-]\\?[0-9]\\)\\@=\\|\\%(\\k\\|\\.\\)\\@!\\)\\)\\?\\|\\.[0-9][0-9_]*\\)\\%([eE][+-]\\?[0-9]\\+\\)\\?#
            syntax match actComment #\\#.*$# contains=@Spell
            syntax match actEscape #\\\\\\%(u{\\x\\+}\\|.\\)# contained
            syntax match actFormat #:[^}"]*# contained

            syntax region actInside matchgroup=actBracket start=#(# end=#)# contains=@actExpression
            syntax region actInside matchgroup=actBracket start=#\\[# end=#\\]# contains=@actExpression
            syntax region actInside matchgroup=actBracket start=#{# end=#}# contains=@actExpression
            " A colon right inside says how the value is written; one inside other brackets does not.
            syntax region actInterpolation matchgroup=actInterpolationBrace start=#{# end=#}# contained contains=@actExpression,actFormat
            syntax region actLineText start=#"# end=#"\\|$# contains=actEscape,actInterpolation,@Spell
            syntax region actBlockText start=#\"""# end=#\"""# contains=actEscape,actInterpolation,@Spell

            \(keyword("actControl", control))
            \(keyword("actWordOperator", wordOperators))
            \(keyword("actLiteral", literals))
            \(keyword("actFunction", functions))
            \(keyword("actMaker", makers))
            \(keyword("actConstant", numbers))

            \(links)

            let b:current_syntax = "act"

            """
    }

    /// Which of the groups that colour schemes know each group is.
    private var links: String {
        """
        highlight default link actComment Comment
        highlight default link actControl Statement
        highlight default link actWordOperator Operator
        highlight default link actLiteral Boolean
        highlight default link actFunction Function
        highlight default link actMaker Type
        highlight default link actConstant Constant
        highlight default link actNumber Number
        highlight default link actLineText String
        highlight default link actBlockText String
        highlight default link actEscape SpecialChar
        highlight default link actInterpolationBrace SpecialChar
        highlight default link actFormat SpecialChar
        highlight default link actSign Operator
        highlight default link actBracket Delimiter
        """
    }
}
