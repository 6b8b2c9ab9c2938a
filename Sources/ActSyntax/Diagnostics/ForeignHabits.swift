// What people bring from Python, NumPy, PyTorch, Keras, MATLAB, Julia, R and JavaScript, and how act writes it.
//
// What must stay true: every row gives something to write. The parser uses the first three tables, unknown names and fields at run
// time the others; a name that act comes to define needs no row.

/// A spelling of another language: what is wrong with it (empty: "is not an operator"), what to write, and, if that is all there is
/// to do, the text to put in its place.
package struct ForeignHabit: Sendable {
    var fault: String
    package var help: String
    package var replacement: String?

    init(_ fault: String, _ help: String, _ replacement: String? = nil) {
        self.fault = fault
        self.help = help
        self.replacement = replacement
    }
}

/// Symbols that are not tokens of act.
package let foreignSymbols: [String: ForeignHabit] = [
    "&&": ForeignHabit("", "write `and`", "and"),
    "||": ForeignHabit("", "write `or`", "or"),
    "&": ForeignHabit("", "write `and`, which works element by element on arrays", "and"),
    "|": ForeignHabit("", "write `or`, which works element by element on arrays; `|>` passes a value to a function", "or"),
    "!": ForeignHabit("", "write `not`; unequal is `!=`, the factorial of n `prod(range(1, n + 1))`", "not "),
    "~": ForeignHabit("", "write `not`; unequal is `!=`", "not "),
    "~=": ForeignHabit("", "write `!=`", "!="),
    "<>": ForeignHabit("", "write `!=`", "!="),
    "≠": ForeignHabit("", "write `!=`", "!="),
    "≤": ForeignHabit("", "write `<=`", "<="),
    "≥": ForeignHabit("", "write `>=`", ">="),
    "===": ForeignHabit("", "write `==`", "=="),
    "!==": ForeignHabit("", "write `!=`", "!="),
    ":=": ForeignHabit("", "write `=`", "="),
    "=>": ForeignHabit("", "a function literal is `x -> …`; at least is `>=`"),
    "=<": ForeignHabit("", "write `<=`", "<="),
    "→": ForeignHabit("", "write `->`", "->"),
    "<|": ForeignHabit("", "write the value first: `x |> f`"),
    "<<": ForeignHabit("", "write the function that comes first on the left: `f >> g`; a product with a power of two is `x * 2^n`"),
    ".*": ForeignHabit("", "write `*`, which works element by element; `@` is the matrix product", "*"),
    "./": ForeignHabit("", "write `/`, which works element by element", "/"),
    ".^": ForeignHabit("", "write `^`, which works element by element", "^"),
    ".'": ForeignHabit("", "write `'`, or `transpose(x)`", "'"),
    "..": ForeignHabit("", "write `range(start, stop)`, which leaves out `stop`"),
    "?": ForeignHabit("", "write `if condition { a } else { b }`, or `where(condition, a, b)` for arrays"),
    "/*": ForeignHabit("`/*` does not begin a comment", "a comment starts with `#` and ends with the line"),
    "\\": ForeignHabit("", "write `solve(A, b)` for a system of equations; a statement goes on after an operator and needs no sign for it"),
    "$": ForeignHabit("", "a string interpolates with `{x}`"),
    "`": ForeignHabit("`` ` `` means nothing in act", "strings are written `\"…\"`"),
    "×": ForeignHabit("", "write `*`", "*"),
    "·": ForeignHabit("", "write `*`, or `@` for the matrix product", "*"),
    "÷": ForeignHabit("", "write `/`", "/"),
    "−": ForeignHabit("this minus sign is not the one on the keyboard", "write `-`", "-"),
    "–": ForeignHabit("this dash is not a minus sign", "write `-`", "-"),
    "√": ForeignHabit("", "write `sqrt(x)`"),
    "²": ForeignHabit("", "write `^2`", "^2"),
    "³": ForeignHabit("", "write `^3`", "^3"),
    "∞": ForeignHabit("`∞` is not a name", "write `inf`", "inf"),
    "′": ForeignHabit("this prime is not the one on the keyboard", "write `'`", "'"),
    "∈": ForeignHabit("", "write `for x in xs`", "in"),
    "∑": ForeignHabit("", "write `sum(x)`"),
    "“": ForeignHabit("these quotes are not the ones on the keyboard", "write `\"…\"`"),
    "”": ForeignHabit("these quotes are not the ones on the keyboard", "write `\"…\"`"),
    "‘": ForeignHabit("these quotes are not the ones on the keyboard", "write `\"…\"`"),
    "’": ForeignHabit("this quote is not the one on the keyboard", "write `'` for a derivative, `\"…\"` for a string"),
    "（": ForeignHabit("this is a full-width bracket", "write `(`", "("),
    "）": ForeignHabit("this is a full-width bracket", "write `)`", ")"),
    "，": ForeignHabit("this is a full-width comma", "write `,`", ","),
    "：": ForeignHabit("this is a full-width colon", "write `:`", ":"),
    "；": ForeignHabit("this is a full-width semicolon", "write `;`", ";"),
    "＝": ForeignHabit("this is a full-width sign", "write `=`", "="),
]

/// Words that begin something in another language and are followed by more words.
package let foreignOpeners: [String: ForeignHabit] = {
    let function = ForeignHabit("a function is defined with `=`", "write `f(x) = …`, or `f(x) = { … }` for several lines")
    let literal = ForeignHabit("a function literal is written with `->`", "write `x -> …`, `(x, y) -> …`")
    let variable = ForeignHabit("a variable needs no declaration", "write `name = value`")
    let elseIf = ForeignHabit("the next case of `if` is `else if`", "write `} else if condition { … }`")
    let record = ForeignHabit("act has no classes", "write a record, `{a: 1, b: 2}`, and functions of it")
    let trial = ForeignHabit("act has no exceptions to catch", "check with `if` first; `error(\"…\")` stops the program")
    let loop = ForeignHabit("loops are `for` and `while`", "write `while condition { … }`")
    let choice = ForeignHabit("cases are told apart with `if`", "write `if … { … } else if … { … } else { … }`")
    let importing = ForeignHabit("every function is built in: nothing needs importing", "a file of yours is read by `lib = import(\"layers.act\")`")
    let statement = ForeignHabit("calls need parentheses", "write `print(x)`")
    let scope = ForeignHabit("variables are local to the function that assigns them", "pass values in as arguments and out as results")
    let deletion = ForeignHabit("a name is taken back with `unset`", "write `unset name`")
    let raising = ForeignHabit("a program is stopped by a call", "write `error(\"…\")`")
    let checking = ForeignHabit("`assert` is a function", "write `assert(condition, \"message\")`")
    return [
        "def": function, "function": ForeignHabit("a function is defined with `=`", "write `f(x) = …`, or `x -> …` without a name"),
        "fn": function, "func": function, "fun": function, "define": function,
        "lambda": literal, "let": variable, "var": variable, "const": variable, "auto": variable, "local": scope, "global": scope,
        "nonlocal": scope, "elif": elseIf, "elsif": elseIf, "elseif": elseIf, "class": record, "struct": record, "try": trial,
        "except": trial, "catch": trial, "finally": trial,
        "with": ForeignHabit(
            "act has no `with`",
            "files are read and written whole by `load` and `save`; without derivatives nothing is recorded, and inside of one `stop_gradient(x)` is a constant"
        ),
        "do": loop, "until": loop, "repeat": loop, "loop": loop,
        "switch": choice, "case": choice, "match": choice, "import": importing, "from": importing, "using": importing,
        "require": importing, "include": importing, "print": statement, "echo": statement, "disp": statement, "del": deletion,
        "raise": raising, "throw": raising, "assert": checking,
        "yield": ForeignHabit("act has no generators", "build an array with `[f(a) for a in xs]`"),
        "async": ForeignHabit("act has no `async`", "write the call alone"), "await": ForeignHabit("act has no `await`", "write the call alone"),
    ]
}()

/// Of `foreignOpeners`, those that are functions of act.
let functionsThatOpen: Set<String> = ["assert", "print", "repeat"]

/// Of `foreignOpeners`, those that go on with what an earlier line began.
let foreignContinuations: Set<String> = ["elif", "elsif", "elseif", "except", "catch", "finally", "case", "until"]

/// Words that stand between two values in another language.
package let foreignInfixes: [String: ForeignHabit] = [
    "is": ForeignHabit("`is` is not an operator", "write `==`, or `!=`", "=="),
    "mod": ForeignHabit("`mod` is not an operator", "write `%`", "%"),
    "rem": ForeignHabit("`rem` is not an operator", "write `%`", "%"),
    "div": ForeignHabit("`div` is not an operator", "write `//`", "//"),
    "xor": ForeignHabit("`xor` is not an operator", "write `xor(a, b)`, or `!=` between bools", "!="),
    "then": ForeignHabit("`then` is not a word of act", "write `if condition { … }`"),
    "do": ForeignHabit("`do` is not a word of act", "write `{ … }` for a block"),
    "as": ForeignHabit("`as` is not an operator", "write `f32(x)`, `int(x)` to convert"),
    "where": ForeignHabit("`where` is a function", "write `where(condition, a, b)`, or define what it needs on lines before"),
    "unless": ForeignHabit("`unless` is not a word of act", "write `if not condition { … }`"),
]

/// What a figure's own calls in matplotlib and MATLAB become.
private let foreignFigureNames: [String: String] = {
    let shown = "a figure shows itself: a line `plot(x, y)` is enough"
    let drawing = "write `plot(…)`: each call makes a figure of its own, `fig1 + fig2` draws both in one"
    return [
        "savefig": "write `save(plot(x, y), \"a.png\")`", "saveas": "write `save(plot(x, y), \"a.png\")`", "imsave": "write `save(image(x), \"a.png\")`",
        "figure": drawing, "hold": drawing, "gca": drawing, "gcf": drawing, "axes": drawing, "axis": "write `plot(…, xlim=(0, 1), ylim=(0, 1))`",
        "subplot": "write `panels(fig1, fig2, columns=2)`", "subplots": "write `panels(fig1, fig2, columns=2)`",
        "semilogx": "write `plot(x, y, logx=true)`", "semilogy": "write `plot(x, y, logy=true)`", "loglog": "write `plot(x, y, logx=true, logy=true)`",
        "xscale": "write `plot(…, logx=true)`", "yscale": "write `plot(…, logy=true)`", "suptitle": "write `panels(…, title=\"…\")`",
        "set_title": "write `plot(…, title=\"…\")`", "colorbar": "a heatmap has its colour bar already", "tight_layout": shown, "draw": shown,
        "hlines": "add a line: `plot(x, y) + plot(x, full(shape(x), 0))`", "axhline": "add a line: `plot(x, y) + plot(x, full(shape(x), 0))`",
    ]
}()

/// The names that the language at hand defines, as far as advice needs them.
package struct Vocabulary: Sendable {
    /// The name and the aliases of a function → its name.
    package private(set) var functions: [String: String] = [:]
    /// The same in lower case; of several functions, the first.
    private var foldedFunctions: [String: String] = [:]
    package let constants: Set<String>
    /// The options of figures, each with a value as it is written.
    let figureOptions: [String: String]

    package init(functions rows: [(name: String, aliases: [String])], constants: Set<String>, figureOptions: [String: String]) {
        self.constants = constants
        self.figureOptions = figureOptions
        for row in rows {
            for spelling in [row.name] + row.aliases where functions[spelling] == nil { functions[spelling] = row.name }
            if foldedFunctions[row.name.lowercased()] == nil { foldedFunctions[row.name.lowercased()] = row.name }
        }
    }

    func function(likeWord word: String) -> String? { functions[word] ?? foldedFunctions[word.lowercased()] }

    func defines(_ name: String) -> Bool { functions[name] != nil || constants.contains(name) }

    /// How an option of figures is written, for those who call it.
    func optionHint(_ name: String) -> String? {
        figureOptions[name].map { "it is an option of figures: `plot(…, \(name)=\($0))`" }
    }
}

/// Names of libraries, whose functions act has without a prefix.
private let foreignModules: Set<String> = [
    "np", "numpy", "torch", "nn", "F", "tf", "tensorflow", "keras", "jax", "jnp", "lax", "mx", "mlx", "scipy", "special", "math", "Math", "cmath",
    "plt", "matplotlib", "pyplot", "sns", "random", "linalg", "optim", "pd", "pandas", "sp", "sympy", "statistics",
]

/// Names of another language → the name to use in its place, or, when it holds a space, what to do.
private let foreignNames: [String: String] = foreignRecipes.merging(foreignWords) { recipe, _ in recipe }

/// The short answers among them.
private let foreignWords: [String: String] = [
    "True": "true", "False": "false", "TRUE": "true", "FALSE": "false",
    "None": "none", "null": "none", "nil": "none", "NULL": "none", "undefined": "none", "nothing": "none",
    "NaN": "nan", "Inf": "inf", "Infinity": "inf", "infinity": "inf", "NA": "nan", "PI": "pi", "euler": "e",
    "arange": "range", "colon": "range", "seq": "range", "xrange": "range", "iota": "range",
    "println": "print", "disp": "print", "printf": "print", "fprintf": "print", "echo": "print", "cat": "concat",
    "length": "len", "numel": "size", "nrow": "shape", "ncol": "shape", "dim": "shape", "dims": "shape", "count": "len",
    "concatenate": "concat", "vcat": "concat",
    "ones_like": "write `ones(shape(x))`", "zeros_like": "write `zeros(shape(x))`", "full_like": "write `full(shape(x), value)`",
    "empty": "zeros", "empty_like": "write `zeros(shape(x))`", "identity_matrix": "eye", "asarray": "array", "tensor": "array",
    "Tensor": "array", "ndarray": "array", "Variable": "array", "constant": "array", "as_tensor": "array", "vector": "array", "matrix": "array",
    "push": "append", "push_back": "append", "astype": "write `f32(x)`, `f64(x)`, `bool(x)` or `int(x)`",
    "float": "write `f64(x)` to convert, `number(\"1.5\")` to read text", "double": "f64", "single": "f32", "float32": "f32", "float64": "f64",
    "float16": "f32", "int32": "int", "int64": "int",
    "integer": "int", "logical": "bool", "boolean": "bool", "str": "repr", "string": "repr", "toString": "repr", "num2str": "repr", "sprintf": "format",
    "absolute": "abs", "fabs": "abs", "power": "write `x^n`", "pow": "write `x^n`", "square": "write `x^2`",
    "multiply": "write `a * b`", "mul": "write `a * b`", "add": "write `a + b`", "subtract": "write `a - b`", "sub": "write `a - b`",
    "divide": "write `a / b`", "true_divide": "write `a / b`", "floor_divide": "write `a // b`", "mod": "write `a % b`", "rem": "write `a % b`",
    "negative": "write `-x`", "ln": "log", "arcsin": "asin", "arccos": "acos", "arctan2": "atan2", "fix": "trunc", "ceiling": "ceil",
    "amax": "max", "amin": "min", "fmax": "maximum", "fmin": "minimum", "average": "mean", "stdev": "std", "variance": "var",
    "product": "prod", "argMax": "argmax", "mm": "matmul", "bmm": "matmul", "mtimes": "matmul", "inverse": "inv", "determinant": "det",
    "view": "reshape", "permute": "transpose", "ravel": "flatten", "unsqueeze": "expand_dims", "repmat": "tile", "linear_space": "linspace",
    "logical_and": "write `a and b`", "logical_or": "write `a or b`", "logical_not": "write `not a`", "equal": "write `a == b`", "not_equal": "write `a != b`",
    "greater": "write `a > b`", "less": "write `a < b`", "isnull": "isnan", "is_nan": "isnan", "ifelse": "where", "select": "where",
    "clamp": "clip", "clip_by_value": "clip", "reduce_sum": "sum", "reduce_mean": "mean", "reduce_max": "max", "reduce_min": "min",
    "reduce_prod": "prod", "enumerate": "write `for i in range(len(xs)) { … }`",
    "zip": "write `map((a, b) -> …, xs, ys)`, or `for i in range(len(xs)) { … xs[i] … ys[i] … }`",
    "reverse": "flip", "values": "write `[r[name] for name in keys(r)]`", "items": "write `for name in keys(r) { … r[name] … }`", "dtype": "write `x.dtype`",
    "training": "the function of a `layer` is told by a parameter: write `(x, training) -> …`",
    "sorted": "sort", "reversed": "flip", "isinstance": "write `type(x) == \"array\"`", "typeof": "type", "class": "type",
    "input": "`args` holds the words after the script's name",
    "list": "`[…]` makes an array, `(…)` a list; `range` is an array already", "tuple": "a list is written `(1, 2)`, `(1,)` with one element",
    "dict": "a record is written `{a: 1, b: 2}`", "set": "write `unique(x)`",
    "open": "load", "read_csv": "load", "loadtxt": "load", "imread": "load", "savetxt": "save", "imshow": "image",
    "barplot": "bar", "histplot": "hist", "tic": "clock", "toc": "clock", "time": "clock", "perf_counter": "clock",
    "rand_like": "rand", "normal": "randn", "uniform": "rand", "randi": "randint", "shuffle": "permutation", "manual_seed": "seed", "rng": "seed",
    "ReLU": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Softmax": "softmax", "GELU": "gelu", "SiLU": "silu", "Swish": "silu", "ELU": "elu",
    "SELU": "selu", "CELU": "celu", "Softplus": "softplus", "Mish": "mish", "LeakyReLU": "leaky_relu", "leakyrelu": "leaky_relu", "lrelu": "leaky_relu",
    "Hardswish": "hard_swish", "hardswish": "hard_swish", "Hardtanh": "hard_tanh", "hardtanh": "hard_tanh", "Hardsigmoid": "hard_sigmoid",
    "hardsigmoid": "hard_sigmoid", "LogSoftmax": "log_softmax", "LogSigmoid": "log_sigmoid", "logsigmoid": "log_sigmoid", "Softsign": "softsign",
    "Linear": "Dense", "linear": "identity", "Sequential": "write `Dense(…) >> relu >> Dense(…)`", "Conv2d": "Conv2D", "MaxPool2d": "MaxPool2D",
    "AvgPool2d": "AvgPool2D", "BatchNorm2d": "BatchNorm", "BatchNorm1d": "BatchNorm", "BatchNormalization": "BatchNorm", "LayerNormalization": "LayerNorm",
    "MSELoss": "mse", "mse_loss": "mse", "L1Loss": "mae", "CrossEntropyLoss": "cross_entropy", "NLLLoss": "nll", "BCELoss": "bce",
    "BCEWithLogitsLoss": "bce_logits", "binary_cross_entropy": "bce", "HuberLoss": "huber", "SmoothL1Loss": "huber",
    "diff": "write `f'` for a derivative, `a[1:] - a[:-1]` for differences", "backward": "write `grad(f)(x)`, or `f'(x)`",
    "autograd": "write `grad(f)(x)`, or `f'(x)`",
    "value_and_gradient": "value_and_grad", "requires_grad": "write `grad(f)(x)`: nothing needs marking",
    "no_grad": "nothing is recorded outside of `grad`; inside write `stop_gradient(x)`", "detach": "stop_gradient", "StopGradient": "stop_gradient",
    "custom_jvp": "with_derivative", "custom_vjp": "with_derivative",
    "take_along_axis": "take_along", "gather": "take_along", "put_along_axis": "put_along", "scatter": "put_along", "index_add": "scatter_add", "topk": "top_k",
    "ravel_pytree": "flatten", "parameters_to_vector": "flatten", "vector_to_parameters": "unflatten", "scaled_dot_product_attention": "attend",
    "fprime": "write `f'`", "derivative": "write `f'`", "D": "write `f'`",
    "newaxis": "write `x[:, none]`", "end": "the last element is `x[-1]`; blocks end with `}`", "pass": "write `none`, or leave the block empty",
    "self": "functions take what they need as arguments", "this": "functions take what they need as arguments",
    "console": "write `print(x)`", "sys": "`args` holds the words after the script's name", "os": "`load` and `save` read and write files",
    "lambda": "write `x -> …`", "def": "write `f(x) = …`", "elif": "write `} else if condition { … }`",
    "exit": "a program ends after its last line; `error(\"…\")` stops it, in the session `:quit` leaves",
    "quit": "a program ends after its last line; `error(\"…\")` stops it, in the session `:quit` leaves",
    "dir": "in the REPL write `:vars`", "whos": "in the REPL write `:vars`", "who": "in the REPL write `:vars`",
    "clear": "write `unset name`; in the REPL `:reset`",
    "doc": "help", "man": "help", "abs2": "write `x^2`", "expit": "sigmoid", "logit": "write `log(p / (1 - p))`",
    "arccosh": "acosh", "arcsinh": "asinh", "arctanh": "atanh", "gammaln": "lgamma", "psi": "digamma", "bitand": "bit_and", "bitor": "bit_or",
    "bitxor": "bit_xor", "logical_xor": "xor",
    "bitwise_and": "bit_and", "bitwise_or": "bit_or", "bitwise_xor": "bit_xor", "left_shift": "shift_left", "right_shift": "shift_right",
    "lnot": "write `not a`",
    "heaviside": "step", "relu_prime": "write `relu'`", "sigmoid_prime": "write `sigmoid'`", "sigmoid_derivative": "write `sigmoid'`",
]

/// Fields of other languages' values → what to write.
private let foreignFields: [String: String] = [
    "push": "write `a = append(a, v)`: values never change in place", "extend": "write `a = concat((a, b))`: values never change in place",
    "pop": "write `xs[:-1]`",
    "insert": "write `concat((a[:i], [v], a[i:]))`", "remove": "write `[x for x in xs if x != v]`",
    "astype": "write `f32(x)`, `f64(x)`, `bool(x)` or `int(x)`", "float": "write `f32(x)`", "double": "write `f64(x)`", "long": "write `int(x)`",
    "item": "a result with one element is a number already", "tolist": "an array is indexed and iterated as it is",
    "numpy": "the value is an array already", "detach": "write `stop_gradient(x)`", "cpu": "everything runs on the CPU", "cuda": "everything runs on the CPU",
    "to": "write `f32(x)`, `f64(x)`", "copy": "assignment copies: write `y = x`", "clone": "assignment copies: write `y = x`",
    "layers": "write `net[0]`, `net[1]`; `len(net)` counts them",
    "length": "write `len(x)`", "len": "write `len(x)`", "count": "write `len(x)`", "nelement": "write `x.size`", "numel": "write `x.size`",
    "view": "write `x.reshape(…)`", "permute": "write `x.transpose((1, 0))`, a list of the axes", "t": "write `x.T`", "mT": "write `x.T`", "H": "write `x.T`",
    "unsqueeze": "write `x.expand_dims(axis)`", "ravel": "write `x.flatten()`", "concatenate": "write `concat((a, b))`",
    "backward": "write `grad(f)(x)`, or `f'(x)`", "grad": "write `grad(f)(x)`, or `f'(x)`", "requires_grad": "write `grad(f)(x)`: nothing needs marking",
    "fit": "write `fit(net, x, y, mse)`", "predict": "write `net(x)`", "forward": "write `net(x)`", "eval": "`net(x)` infers; training is `fit`",
    "train": "training is `fit(net, x, y, mse)`, one pass as in training `net(x, training=true)`",
    "parameters": "write `parameters(net)`", "state_dict": "write `parameters(net)`", "weight": "write `parameters(layer).W`",
    "bias": "write `parameters(layer).b`",
    "values": "write `[r[name] for name in keys(r)]`", "items": "write `for name in keys(r) { … r[name] … }`",
    "reverse": "write `flip(x)`", "fill": "write `full(shape(x), value)`",
    "get": "write `r[\"name\"]`; `contains(keys(r), \"name\")` tells whether it is there", "toFixed": "write `\"{x:.2f}\"`", "format": "write `\"{x:.2f}\"`",
    "toString": "write `repr(x)`",
    "startswith": "write `starts_with(s, \"…\")`", "endswith": "write `ends_with(s, \"…\")`", "strip": "write `trim(s)`", "toUpperCase": "write `upper(s)`",
    "toLowerCase": "write `lower(s)`", "forEach": "write `for x in xs { … }`", "show": "write `show(figure)`", "savefig": "write `save(figure, \"a.svg\")`",
    "clamp": "write `x.clip(lo, hi)`", "sub": "write `a - b`", "add": "write `a + b`", "mul": "write `a * b`", "div": "write `a / b`", "pow": "write `x^n`",
    "mm": "write `a @ b`",
]

/// Names of arguments of other libraries → the names here.
package let foreignArguments: [String: String] = [
    "dim": "axis", "dims": "axis", "keepdim": "keepdims", "learning_rate": "lr", "batch_size": "batch", "validation_data": "validation",
    "in_features": "inputs", "out_features": "outputs", "in_channels": "inputs", "out_channels": "outputs", "kernel_size": "kernel",
]

/// What to write in place of a name.
package struct NameAdvice {
    package var help: String
    /// What takes the place of the name, and of the field after it, if that is all there is to do.
    package var replacement: String?
}

/// What to write instead of an unknown name, when it is a habit from another language; `field` is the name after it in `np.exp`.
///
/// `np` with field `arange` gives "functions need no module: write `range` for `np.arange`".
/// - Parameter isCalled: whether it is called, as options of figures are elsewhere.
package func foreignAdvice(unknownName name: String, field: String? = nil, isCalled: Bool = false, in vocabulary: Vocabulary) -> NameAdvice? {
    func spelled(_ spelling: String, _ help: String) -> NameAdvice {
        spelling.contains(" ") ? NameAdvice(help: spelling) : NameAdvice(help: help, replacement: spelling)
    }
    if foreignModules.contains(name) {
        guard let field else { return NameAdvice(help: "functions need no module: write `exp(x)` for `\(name).exp(x)`") }
        if foreignModules.contains(field) { return NameAdvice(help: "functions need no module: write the name after the last `.` alone") }
        if ["show", "close", "clf", "ion"].contains(field) { return NameAdvice(help: "a figure shows itself: a line `plot(x, y)` is enough") }
        if let hint = foreignFigureNames[field] ?? vocabulary.optionHint(field) { return NameAdvice(help: hint) }
        guard let spelling = foreignNames[field] ?? (vocabulary.defines(field) ? field : nil) else {
            return NameAdvice(help: "functions need no module, but there is no `\(field)` in act")
        }
        return spelled(spelling, "functions need no module: write `\(spelling)` for `\(name).\(field)`")
    }
    if isCalled, let hint = foreignFigureNames[name] ?? vocabulary.optionHint(name) { return NameAdvice(help: hint) }
    return foreignNames[name].map { spelled($0, "write `\($0)`") }
}

/// What to write instead of a string that other libraries take as an argument.
package func foreignHint(argument text: String, named parameter: String, in vocabulary: Vocabulary) -> String? {
    if parameter == "dtype" {
        if text.hasPrefix("int") || text.hasPrefix("uint") || text == "long" { return "whole numbers are f64 too; `int(x)` cuts fractions off" }
        let near = ["float": "f64", "double": "f64", "float64": "f64", "float32": "f32", "single": "f32", "half": "f32", "float16": "f32", "boolean": "bool"][
            text]
        return near.map { "write `\"\($0)\"`" }
    }
    let name = vocabulary.function(likeWord: text) ?? foreignNames[text].flatMap { $0.contains(" ") ? nil : $0 }
    guard let name, vocabulary.defines(name) else { return nil }
    // What makes something else is called: `Adam(0.001)`.
    return "write `\(name)\(name.first?.isUppercase == true ? "(…)" : "")` without quotes"
}

/// What to write instead of an unknown field or method of a value of type `kind` (as `type` names it).
package func foreignHint(unknownField field: String, on kind: String) -> String? {
    switch (kind, field) {
    case ("string", "length"), ("string", "count"): return "write `len(s)`"
    case ("string", "index"), ("string", "find"): return "`contains(s, \"…\")` tells whether it is there, `len(split(s, \"…\")[0])` is its place"
    case ("array", "index"), ("array", "find"): return "write `nonzero(x == v)[0]`, the positions of v"
    case (_, "index"), (_, "find"): return "`contains(xs, v)` tells whether it is there, `nonzero([x == v for x in xs])[0]` are its places"
    // What a record is asked for may be the name of a field in another language's values too.
    case ("record", _): return ["values", "items", "get", "pop", "copy"].contains(field) ? foreignFields[field] : nil
    default: break
    }
    if kind == "network" || kind == "layer" {
        let layer = kind == "network" ? "net[0]" : "net"
        switch field {
        case "shape", "size", "ndim": return "its arrays have one each, as in `shape(\(layer).W)`; `summary(net)` shows all"
        case "W", "weight", "weights", "kernel": return "write `\(layer).W`, or `parameters(net)`"
        case "b", "bias": return "write `\(layer).b`, or `parameters(net)`"
        default: break
        }
    }
    if let help = foreignFields[field] { return help }
    // What is a function in one language is a method in another.
    return ["array", "number", "list", "string"].contains(kind) ? foreignNames[field].flatMap { $0.contains(" ") ? $0 : nil } : nil
}
