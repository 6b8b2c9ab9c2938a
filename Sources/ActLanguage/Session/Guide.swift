// The topics that `?` lists: for each a screenful of examples and the functions that belong to it. A test runs the examples.

package struct Guide {
    package let name: String
    let summary: String
    /// Lines of a program, each followed by what it shows as a comment.
    package let example: String
    var topics: [Topic] = []
    /// What examples cannot show.
    var text = ""

    /// The guide of a name, which may be in the singular.
    static func named(_ name: String) -> Guide? { rows.first { $0.name == name || $0.name == name + "s" } }

    package static let rows: [Guide] = [
        Guide(
            name: "arrays", summary: "making arrays, their shapes, indexing, broadcasting",
            example: """
                x = [1, 2, 3]
                x * 10 + 1   # [11, 21, 31]
                A = range(6).reshape(2, 3)
                A[1, 0]   # 3
                A[:, 0]   # [0, 3]
                x[x > 1]   # [2, 3]
                A + x   # [[1, 3, 5],
                # [4, 6, 8]]
                A @ x   # [8, 26]
                A.sum(axis=0)   # [3, 5, 7]
                """, topics: [.make, .shape, .reduce, .order, .linear]),
        Guide(
            name: "functions", summary: "your own functions, blocks, conditions and loops",
            example: """
                f(x, slope=0.01) = max(slope * x, x)
                f(-2)   # -0.02
                f(-2, slope=0.5)   # -1
                sign_of(x) = if x > 0 { "plus" } else { "not plus" }
                sign_of(3)   # "plus"
                total = 0; for i in range(4) { total += i }
                total   # 6
                [a^2 for a in [1, 2, 3] if a > 1]   # [4, 9]
                9 |> sqrt   # 3
                """, topics: [.functions]),
        Guide(
            name: "activations", summary: "activation functions, their derivatives and their corners",
            example: """
                relu([-1, 0, 2])   # [0, 0, 2]
                sigmoid'(0)   # 0.25
                softmax([1, 2, 3])   # [0.09003057, 0.24472847, 0.66524096]
                leaky_relu(-1, 0.2)   # -0.2
                """, topics: [.activations, .elementwise]),
        Guide(
            name: "derivatives", summary: "slopes of functions: f', gradients, Jacobians",
            example: """
                f(x) = x^3
                f'(2)   # 12
                f''(2)   # 12
                loss(w) = sum((w - [1, 2])^2)
                grad(loss)([0, 0])   # [-2, -4]
                jacobian(x -> x * sum(x))([1, 2])   # [[4, 1],
                # [2, 5]]
                """, topics: [.derivatives]),
        Guide(
            name: "networks", summary: "layers, losses, optimisers, training",
            example: """
                seed(1); X = randn(64, 2); y = X[:, 0:1] * X[:, 1:2]
                net = Dense(2, 16, tanh) >> Dense(16, 1)
                net(X).shape   # (64, 1)
                trained = fit(net, X, y, loss=mse, optimizer=Adam(0.01), epochs=2, progress=false)
                mse(trained(X), y) < mse(net(X), y)   # true
                """, topics: [.networks]),
        Guide(
            name: "plots", summary: "figures in the terminal and in files",
            example: """
                x = range(-3, 3, 0.1)
                figure = plot(x, tanh, tanh', title="tanh and its slope");
                type(figure)   # "figure"
                two = panels(figure, plot(x, relu(x)), columns=2);
                """, topics: [.figures]),
        Guide(
            name: "text", summary: "strings, printing, lists and records",
            example: """
                name = "act"; x = 1 / 3
                "{name} says {x:.2f}"   # "act says 0.33"
                split("a b c", " ")   # ("a", "b", "c")
                r = {W: [1, 2], b: 0.5}
                r.W + r.b   # [1.5, 2.5]
                a, b = (1, 2); a   # 1
                """, topics: [.text]),
        Guide(
            name: "files", summary: "loading and saving arrays, tables, networks and figures",
            example: """
                text = to_json({x: [1, 2]})
                text   # "\\{\\"x\\": [1, 2]}"
                from_json(text).x   # [1, 2]
                """, topics: [.files]),
        Guide(
            name: "errors", summary: "messages, warnings, and finding out where a nan or a 0 comes from",
            example: """
                x = [3, -2]; y = relu(x) * 2
                nothing = why(log1p(x[0]))   # nothing is wrong with `log1p(x[0])`: it is 1.38629436
                all(isfinite(y))   # true
                assert(len(x) == 2, "two are needed")
                """, topics: [.checks]),
        Guide(
            name: "session", summary: "what can be typed at the prompt",
            example: "1 + 1   # 2",
            text: """
                `ans` is the last value. Tab completes names, fields, arguments and files, and after `(` shows how a function is called;
                `\\sigma` and Tab make `σ`. An open bracket or block goes on in the next line, and Alt-Enter begins one anywhere; Up brings the whole \
                block back.
                → takes what is suggested, Alt-→ a word of it. Ctrl-C ends a computation or drops what is written, Ctrl-D a block, else the session.
                `:help` lists the commands; `:shapes X @ W + b` writes the shape of each part beneath it.
                """),
        Guide(name: "all", summary: "every name, by topic", example: ""),
    ]
}
