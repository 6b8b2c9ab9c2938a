// Values at the edges of what the language has, as it writes them.

extension Generator {
    static let numbers = [
        "0", "1", "-1", "2", "3", "7", "0.5", "-0.0", "1e308", "-1e308", "1e309", "5e-324", "2.2e-308", "nan", "inf", "-inf", "9007199254740992",
        "9007199254740993",
        "9.3e18", "-9.3e18", "1.8446744073709552e19", "1e15", "1e16", "1e10", "2147483647", "2147483648", "4294967296", "65536", "255", "256", "1000", "1e6",
        "1e7",
        "0xffffffffffffffffff", "1_000", "-2", "1.5", "1e-5", "100000", "0b1",
    ]

    static let values =
        numbers + [
            "true", "false", "none", "\"\"", "\"a\"", "\"\u{10ffff}\"", "\"한글 e\u{301}\"", "\"{1}\"", "\"f32\"", "\"x.npy\"", "\"../x\"", "()", "(1,)",
            "(1, \"a\", relu)", "((),)",
            "[]", "[[]]", "[1]", "[1, 2, 3]", "[[1, 2], [3, 4]]", "[[1], [2], [3]]", "[nan, 1]", "[inf, -inf]", "[1e308, 1e308]", "[true, false, true]",
            "[0, 1, 2, 0]", "[-1, 0]",
            "[0.5, 1.5]", "zeros(0)", "zeros(0, 3)", "zeros(3, 0)", "zeros(2, 0, 2)", "ones(1, 1, 1, 1)", "ones(1, 2, 1, 3, 1)", "f32([1, 2, 3])", "f32(nan)",
            "bool([0, 1])", "range(5)",
            "range(5.0)", "range(10)[::-1]", "range(24).reshape(2, 3, 4)", "range(24).reshape(4, 3, 2).T", "range(1000)", "range(2000) / 7", "range(100000)",
            "f32(range(3000))",
            "zeros(64, 64)", "ones(40, 50)[:, ::3]", "eye(3)", "eye(3) * 1e200", "{}", "{a: 1}", "{a: [1, 2], b: {c: 3}}", "{W: eye(2), b: zeros(2)}", "x -> x",
            "x -> x * x", "x -> sum(x ^ 2)",
            "(x, y) -> x + y", "() -> 1", "x -> none", "x -> error(\"e\")", "x -> x[0]", "x -> (x, x)", "x -> {a: x}", "x -> where(x > 0, x, 0)", "relu", "sin",
            "sigmoid'", "sum", "max", "softmax",
            "argmax", "print", "sin >> cos", "grad(x -> x ^ 2)", "Dense(2, 3)", "Dense(2, 8, relu) >> Dense(8, 1)", "Conv2D(1, 2, 3)", "BatchNorm(3)",
            "Adam(0.01)", "SGD(0.1)", "mse",
            "cross_entropy", "plot([1, 2, 3])", "scatter([1, 2], [3, nan])", "heatmap(eye(3))", "rand(3)", "randn(2, 3, 4)", "randn(300)", "[x -> x, relu]",
            "[\"a\", \"b\"]", "(\"a\", \"b\")",
            "[[true]]", "range(3) > 1", "none", "pi", "[1, 2][none]", "join([\"a\" for i in range(20000)])", "join([\"ab\" for i in range(9000)]) + \"b\"",
            "join([\" é\" for i in range(9000)])", "repr(range(9000))",
            "join([\"7\" for i in range(20000)])", "join([\"a,b\\n\" for i in range(5000)])", "join([\"[\" for i in range(5000)])", "zeros(1e11, 0)",
            "[(i, \"a\") for i in range(3000)]", "linspace(-5, 5, 2000)", "ones(3, 3, 3)[1]",
        ]

    static let signs = [
        "+", "-", "*", "/", "//", "%", "@", "^", "**", "==", "!=", "<", "<=", ">", ">=", "and", "or", "|>", ">>", "=", "+=", "-=", "*=", "^=", ",", ";", "->",
        ".", "(", ")", "[", "]",
        "{", "}", ":", "'", "\"", "...", "not", "if", "else", "for", "in", "\n",
    ]

    static let strings = [
        "\"\"", "\"{\"", "\"{1:>1000000}\"", "\"{x:08.3e}\"", "\"{pi:.400f}\"", "\"{1:%}\"", "\"{[1, 2]:.2f}\"", "\"\\u{0}\"", "\"\\u{110000}\"",
        "\"\"\"\n\"\"\"", "\"{\"{\"{1}\"}\"}\"",
        "\"x.json\"", "\"x.csv\"", "\"x.npz\"", "\"a/b\"", "\"/dev/zero\"", "\"/proc/self/mem\"", "\".\"", "\"x.svg\"", "\"he_normal\"", "\"🇰🇷👨‍👩‍👧\"",
        "\"a,b\\n1,2\"", "\"[1, 2\"", "\"1e999\"",
    ]

    static let options = [
        "title", "xlabel", "ylabel", "xlim", "ylim", "grid", "legend", "label", "labels", "color", "style", "marker", "width", "height", "logx", "logy", "bins",
        "levels", "axis",
    ]

    /// What an expression is put into; `$` is another expression.
    static let wrappers: [(String, String)] = [
        ("(", ")"), ("[", "]"), ("-", ""), ("not ", ""), ("(", ")'"), ("{a: ", "}"), ("\"{", "}\""), ("sin(", ")"), ("(", ",)"), ("{ ", " }"),
        ("if true { ", " }"), ("(x -> ", ")(1)"),
        ("[", " for i in range(3)]"), ("for i in range(3) { ", " }"), ("", "[0]"), ("", "[$]"), ("", "[1:$]"), ("", "[..., none]"), ("", "[$, $]"), ("$(", ")"),
        ("", " |> $"), ("", " >> $"),
        ("$ @ ", ""), ("$ ^ ", ""), ("", " ^ $"), ("$ // ", ""), ("grad(", ")(1)"), ("jacobian(", ")([1, 2])"), ("hessian(", ")([1, 2])"), ("map($, ", ")"),
        ("repr(", ")"), ("from_json(to_json(", "))"),
        ("", ".T"), ("", ".shape"), ("", ".$"), ("plot(", ")"), ("show(", ")"), ("f32(", ")"), ("concat(", ", $)"), ("where($, ", ", $)"),
        ("while false { ", " }"), ("(a=", ") -> a"),
        ("sort(", ", axis=$)"), ("reshape(", ", $)"), ("timeit(() -> ", ", runs=1)"), ("kinks(", ")"), ("help(", ")"), ("check_grad(x -> ", ", $)"),
        ("fit($, ", ", $, epochs=1)"), ("$ if ", ""),
    ]
}
