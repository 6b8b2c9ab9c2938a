# Made by `act grammar pygments`.
"""A lexer of Pygments for act."""

from pygments import unistring
from pygments.lexer import RegexLexer, include, words
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Whitespace

__all__ = ["ActLexer"]

first = unistring.combine("Lu", "Ll", "Lt", "Lm", "Lo", "Nl") + "_"
others = first + unistring.combine("Nd", "Mn", "Mc") + "\u2080-\u2089"
word_end = rf"(?![{others}])"

CONTROL = (
    'if', 'else', 'for', 'while', 'break', 'continue', 'return', 'unset',
)
WORD_OPERATORS = (
    'and', 'or', 'not', 'in',
)
LITERALS = (
    'true', 'false', 'none',
)
FUNCTIONS = (
    'abs', 'accuracy', 'acos', 'acosh', 'activation_flow', 'all', 'all_sum', 'allclose', 'any', 'append', 'arctan',
    'argmax', 'argmin', 'argsort', 'array', 'asin', 'asinh', 'assert', 'atan', 'atan2', 'atanh', 'attend',
    'avg_pool', 'bar', 'batches', 'bce', 'bce_logits', 'bent_identity', 'bilinear', 'binary_step', 'bincount',
    'bit_and', 'bit_or', 'bit_xor', 'bool', 'broadcast_to', 'categorical', 'cbrt', 'ceil', 'celu', 'check_grad',
    'choice', 'cholesky', 'clip', 'clock', 'compose', 'concat', 'confusion', 'constant_rate', 'contains', 'contour',
    'conv', 'conv_transpose', 'convolve', 'corrcoef', 'cos', 'cosh', 'cosine_rate', 'cov', 'crelu', 'cross_entropy',
    'cumprod', 'cumsum', 'derive', 'det', 'diag', 'digamma', 'digits', 'dot', 'eig', 'eigh', 'einsum', 'elu',
    'ends_with', 'erf', 'erfc', 'error', 'exp', 'exp2', 'expand_dims', 'expm1', 'exponential', 'eye', 'f32', 'f64',
    'filter', 'fit', 'flatten', 'flip', 'floor', 'fmod', 'format', 'formula', 'forward', 'freeze', 'from_json',
    'full', 'gamma', 'gaussian', 'geglu', 'gelu', 'gelu_new', 'gelu_sigmoid', 'gelu_tanh', 'glu', 'grad',
    'gradient_flow', 'grid_sample', 'hard_shrink', 'hard_sigmoid', 'hard_silu', 'hard_swish', 'hard_tanh', 'hardmax',
    'heatmap', 'heaviside', 'help', 'hessian', 'hinge', 'hist', 'histogram', 'history', 'huber', 'hvp', 'hypot',
    'identity', 'image', 'import', 'int', 'interp', 'inv', 'isclose', 'isfinite', 'isinf', 'isnan', 'isrlu', 'isru',
    'jacobian', 'join', 'jvp', 'keys', 'kinks', 'kl_div', 'kron', 'leaky_relu', 'len', 'lgamma', 'linear',
    'linspace', 'lisht', 'load', 'log', 'log10', 'log1p', 'log2', 'log_sigmoid', 'log_softmax', 'logcosh',
    'logistic', 'logsumexp', 'lower', 'lstsq', 'mae', 'map', 'matmul', 'matrix_power', 'matrix_rank', 'max',
    'max_pool', 'maximum', 'maxout', 'mean', 'median', 'meshgrid', 'min', 'minimum', 'mish', 'mse', 'nanmax',
    'nanmean', 'nanmin', 'nanquantile', 'nanstd', 'nansum', 'ndim', 'nll', 'nonzero', 'norm', 'normalize', 'number',
    'one_hot', 'ones', 'outer', 'pad', 'panels', 'parameters', 'permutation', 'pinv', 'plot', 'polyfit', 'polyval',
    'prelu', 'print', 'prod', 'put_along', 'qr', 'quantile', 'quick_gelu', 'r2', 'rand', 'randint', 'randn', 'range',
    'rank', 'ranks', 'reduce', 'reglu', 'relu', 'relu2', 'relu6', 'repeat', 'replace', 'repr', 'reshape', 'resize',
    'roll', 'round', 'rrelu', 'save', 'scan', 'scatter', 'scatter_add', 'searchsorted', 'seed', 'segment_sum',
    'selu', 'serf', 'shape', 'shift_left', 'shift_right', 'show', 'sigmoid', 'sign', 'silu', 'sin', 'sinc', 'sinh',
    'siren', 'size', 'slogdet', 'snake', 'soft_shrink', 'softmax', 'softmin', 'softplus', 'softsign', 'solve',
    'sort', 'sparse_plus', 'sparse_sigmoid', 'sparsemax', 'split', 'spread', 'sqrt', 'squareplus', 'squeeze',
    'stack', 'star_relu', 'starts_with', 'state', 'std', 'step', 'step_rate', 'stop_gradient', 'sum', 'summary',
    'svd', 'swapaxes', 'swiglu', 'swish', 'take_along', 'tan', 'tanh', 'tanh_shrink', 'tanhexp', 'threshold',
    'thresholded_relu', 'tile', 'timeit', 'to_json', 'top_k', 'trace', 'transpose', 'trelu', 'tril', 'trim', 'triu',
    'trunc', 'type', 'unflatten', 'unfreeze', 'unique', 'update', 'upper', 'value_and_grad', 'var', 'vjp', 'vmap',
    'weights', 'where', 'why', 'with_derivative', 'xor', 'zeros', 'σ',
)
MAKERS = (
    'Adagrad', 'Adam', 'AdamW', 'Attention', 'AvgPool1D', 'AvgPool2D', 'AvgPool3D', 'BatchNorm', 'Branch', 'Conv1D',
    'Conv2D', 'Conv3D', 'ConvTranspose1D', 'ConvTranspose2D', 'ConvTranspose3D', 'Dense', 'Dropout', 'Embedding',
    'FReLU', 'Flatten', 'GRU', 'GlobalAvgPool', 'GroupNorm', 'InstanceNorm', 'LBFGS', 'LSTM', 'LayerNorm', 'Lion',
    'MaxPool1D', 'MaxPool2D', 'MaxPool3D', 'Maxout', 'Nadam', 'PReLU', 'Positions', 'RMSNorm', 'RMSProp', 'RNN',
    'Residual', 'SGD', 'Upsample2D',
)
CONSTANTS = (
    'e', 'inf', 'nan', 'pi', 'π',
)


class ActLexer(RegexLexer):
    """Programs of act, a small array language."""

    name = "act"
    aliases = ["act"]
    filenames = ["*.act"]
    mimetypes = ["text/x-act"]

    tokens = {
        "expression": [
            (r"\s+", Whitespace),
            (r"#.*", Comment.Single),
            (r'"""', String.Double, "block-text"),
            (r'"', String.Double, "line-text"),
            (rf"0[xX][0-9A-Fa-f_]*|0[bB][01_]*|(?:[0-9][0-9_]*(?:\.(?:[0-9][0-9_]*|(?=[eE][+-]?[0-9])|(?![.{first}])))?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?", Number),
            (words(CONTROL, suffix=word_end), Keyword),
            (words(WORD_OPERATORS, suffix=word_end), Operator.Word),
            (words(LITERALS, suffix=word_end), Keyword.Constant),
            (words(FUNCTIONS, suffix=word_end), Name.Builtin),
            (words(MAKERS, suffix=word_end), Name.Builtin),
            (words(CONSTANTS, suffix=word_end), Name.Builtin.Pseudo),
            (rf"[{first}][{others}]*", Name),
            (r"[(\[{]", Punctuation, "inside"),
            (r"[-+*/%@^=<>!|.,:;'&~?$\\]", Operator),
        ],
        "root": [include("expression"), (r"[)\]}]", Punctuation)],
        "inside": [(r"[)\]}]", Punctuation, "#pop"), include("expression")],
        # A colon right inside says how the value is written; one inside other brackets does not.
        "interpolation": [(r"\}", String.Interpol, "#pop"), (r':[^}"\n]*', String.Interpol), include("expression")],
        "text": [(r"\\(?:u\{[0-9A-Fa-f]+\}|.)", String.Escape), (r"\{", String.Interpol, "interpolation")],
        "line-text": [(r'"', String.Double, "#pop"), (r"\n", Whitespace, "#pop"), include("text"), (r'[^"\\{\n]+|\\', String.Double)],
        "block-text": [(r'"""', String.Double, "#pop"), include("text"), (r'[^"\\{]+|["\\]', String.Double)],
    }
