// Made by `act grammar codemirror`.
(function (define) {
  if (typeof exports === "object" && typeof module === "object") define(require("../../lib/codemirror"));
  else if (typeof globalThis.define === "function" && globalThis.define.amd) globalThis.define(["../../lib/codemirror"], define);
  else define(globalThis.CodeMirror);
})(function (CodeMirror) {
  "use strict";

  const styles = new Map();
  const words = (style, text) => text.split(" ").forEach((word) => styles.set(word, style));
  words("keyword",
    "if else for while break continue return unset");
  words("keyword",
    "and or not in");
  words("atom",
    "true false none");
  words("builtin",
    "abs accuracy acos acosh activation_flow all all_sum allclose any append arctan argmax argmin argsort array" + " " +
    "asin asinh assert atan atan2 atanh attend avg_pool bar batches bce bce_logits bent_identity bilinear" + " " +
    "binary_step bincount bit_and bit_or bit_xor bool broadcast_to categorical cbrt ceil celu check_grad choice" + " " +
    "cholesky clip clock compose concat confusion constant_rate contains contour conv conv_transpose convolve" + " " +
    "corrcoef cos cosh cosine_rate cov crelu cross_entropy cumprod cumsum derive det diag digamma digits dot eig" + " " +
    "eigh einsum elu ends_with erf erfc error exp exp2 expand_dims expm1 exponential eye f32 f64 filter fit" + " " +
    "flatten flip floor fmod format formula forward freeze from_json full gamma gaussian geglu gelu gelu_new" + " " +
    "gelu_sigmoid gelu_tanh glu grad gradient_flow grid_sample hard_shrink hard_sigmoid hard_silu hard_swish" + " " +
    "hard_tanh hardmax heatmap heaviside help hessian hinge hist histogram history huber hvp hypot identity image" + " " +
    "import int interp inv isclose isfinite isinf isnan isrlu isru jacobian join jvp keys kinks kl_div kron" + " " +
    "leaky_relu len lgamma linear linspace lisht load log log10 log1p log2 log_sigmoid log_softmax logcosh" + " " +
    "logistic logsumexp lower lstsq mae map matmul matrix_power matrix_rank max max_pool maximum maxout mean" + " " +
    "median meshgrid min minimum mish mse nanmax nanmean nanmin nanquantile nanstd nansum ndim nll nonzero norm" + " " +
    "normalize number one_hot ones outer pad panels parameters permutation pinv plot polyfit polyval prelu print" + " " +
    "prod put_along qr quantile quick_gelu r2 rand randint randn range rank ranks reduce reglu relu relu2 relu6" + " " +
    "repeat replace repr reshape resize roll round rrelu save scan scatter scatter_add searchsorted seed" + " " +
    "segment_sum selu serf shape shift_left shift_right show sigmoid sign silu sin sinc sinh siren size slogdet" + " " +
    "snake soft_shrink softmax softmin softplus softsign solve sort sparse_plus sparse_sigmoid sparsemax split" + " " +
    "spread sqrt squareplus squeeze stack star_relu starts_with state std step step_rate stop_gradient sum summary" + " " +
    "svd swapaxes swiglu swish take_along tan tanh tanh_shrink tanhexp threshold thresholded_relu tile timeit" + " " +
    "to_json top_k trace transpose trelu tril trim triu trunc type unflatten unfreeze unique update upper" + " " +
    "value_and_grad var vjp vmap weights where why with_derivative xor zeros σ");
  words("builtin",
    "Adagrad Adam AdamW Attention AvgPool1D AvgPool2D AvgPool3D BatchNorm Branch Conv1D Conv2D Conv3D" + " " +
    "ConvTranspose1D ConvTranspose2D ConvTranspose3D Dense Dropout Embedding FReLU Flatten GRU GlobalAvgPool" + " " +
    "GroupNorm InstanceNorm LBFGS LSTM LayerNorm Lion MaxPool1D MaxPool2D MaxPool3D Maxout Nadam PReLU Positions" + " " +
    "RMSNorm RMSProp RNN Residual SGD Upsample2D");
  words("builtin",
    "e inf nan pi π");

  const number = /^(?:0[xX][0-9A-Fa-f_]*|0[bB][01_]*|(?:[0-9][0-9_]*(?:\.(?:[0-9][0-9_]*|(?=[eE][+-]?[0-9])|(?![.\p{L}\p{Nl}_])))?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?)/u;
  const name = /^(?:[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Nd}\p{Mn}\p{Mc}\u2080-\u2089_]*)/u;
  const escape = /^(?:\\(?:u\{[0-9A-Fa-f]+\}|.))/u;
  const format = /^:[^}"]*/;

  // What stands open: "(", "[", "{"; the quotes of a text; "}" for an expression in a text.
  function text(stream, state, quotes) {
    const begin = stream.pos;
    while (!stream.eol()) {
      const isFirst = stream.pos === begin;
      if (stream.match(quotes)) {
        state.open.pop();
        return "string";
      }
      if (stream.peek() === "{") {
        if (!isFirst) return "string";
        stream.next();
        state.open.push("}");
        return "string-2";
      }
      if (stream.peek() === "\\") {
        if (!isFirst) return "string";
        return stream.match(escape) || stream.next() ? "string-2" : null;
      }
      stream.next();
    }
    return "string";
  }

  function token(stream, state) {
    if (stream.sol()) {
      // A text in one pair of quotes ends with its line.
      const broken = state.open.indexOf('"');
      if (broken >= 0) state.open.length = broken;
    }
    const innermost = state.open[state.open.length - 1];
    if (innermost === '"' || innermost === '"""') return text(stream, state, innermost);
    if (stream.eatSpace()) return null;
    if (stream.match(/^#.*/)) return "comment";
    for (const quotes of ['"""', '"']) {
      if (stream.match(quotes)) {
        state.open.push(quotes);
        return "string";
      }
    }
    // A colon right inside says how the value is written; one inside other brackets does not.
    if (innermost === "}" && stream.match(format)) return "string-2";
    if (stream.match(number)) return "number";
    const word = stream.match(name);
    if (word) return styles.get(word[0]) || "variable";
    const sign = stream.next();
    if ("([{".includes(sign)) state.open.push(sign);
    if (")]}".includes(sign)) {
      state.open.pop();
      if (innermost === "}") return "string-2";
      return "bracket";
    }
    return "([{".includes(sign) ? "bracket" : "operator";
  }

  const mode = {
    name: "act",
    startState: () => ({ open: [] }),
    copyState: (state) => ({ open: state.open.slice() }),
    token,
    indent: (state, after) => {
      const depth = state.open.filter((sign) => "([{".includes(sign)).length;
      return 4 * Math.max(0, depth - (/^\s*[)\]}]/.test(after) ? 1 : 0));
    },
    electricInput: /^\s*[)\]}]$/,
    lineComment: "#",
    fold: "brace",
    languageData: { commentTokens: { line: "#" } },
  };
  if (CodeMirror && CodeMirror.defineMode) {
    CodeMirror.defineMode("act", () => mode);
    CodeMirror.defineMIME("text/x-act", "act");
  }
  return mode;
});
