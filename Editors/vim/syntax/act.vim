" Made by `act grammar vim`.
" Vim syntax file
" Language: act

if exists("b:current_syntax")
  finish
endif

syntax iskeyword @,48-57,_,170,181,186,192-255
syntax sync fromstart

syntax cluster actExpression contains=actComment,actBlockText,actLineText,actNumber,actControl,actWordOperator,actLiteral,actFunction,actMaker,actConstant,actName,actInside,actSign

syntax match actSign #[-+*/%@^=<>!|.,:;'&~?$\\]#
" Letters that Vim takes for signs: subscript digits, Roman numerals, letters of mathematics.
syntax match actName #\d\@!\%(\k\|[\u2080-\u2089\u2160-\u2188\U1d400-\U1d4ff\U1d500-\U1d5ff\U1d600-\U1d6ff\U1d700-\U1d7ff]\)\+#
syntax match actNumber #0[xX][0-9A-Fa-f_]*\|0[bB][01_]*\|\%([0-9][0-9_]*\%(\.\%([0-9][0-9_]*\|\%([eE][+-]\?[0-9]\)\@=\|\%(\k\|\.\)\@!\)\)\?\|\.[0-9][0-9_]*\)\%([eE][+-]\?[0-9]\+\)\?#
syntax match actComment #\#.*$# contains=@Spell
syntax match actEscape #\\\%(u{\x\+}\|.\)# contained
syntax match actFormat #:[^}"]*# contained

syntax region actInside matchgroup=actBracket start=#(# end=#)# contains=@actExpression
syntax region actInside matchgroup=actBracket start=#\[# end=#\]# contains=@actExpression
syntax region actInside matchgroup=actBracket start=#{# end=#}# contains=@actExpression
" A colon right inside says how the value is written; one inside other brackets does not.
syntax region actInterpolation matchgroup=actInterpolationBrace start=#{# end=#}# contained contains=@actExpression,actFormat
syntax region actLineText start=#"# end=#"\|$# contains=actEscape,actInterpolation,@Spell
syntax region actBlockText start=#"""# end=#"""# contains=actEscape,actInterpolation,@Spell

syntax keyword actControl if else for while break continue return unset
syntax keyword actWordOperator and or not in
syntax keyword actLiteral true false none
syntax keyword actFunction abs accuracy acos acosh activation_flow all all_sum allclose any append arctan argmax argmin
syntax keyword actFunction argsort array asin asinh assert atan atan2 atanh attend avg_pool bar batches bce bce_logits
syntax keyword actFunction bent_identity bilinear binary_step bincount bit_and bit_or bit_xor bool broadcast_to
syntax keyword actFunction categorical cbrt ceil celu check_grad choice cholesky clip clock compose concat confusion
syntax keyword actFunction constant_rate contour conv conv_transpose convolve corrcoef cos cosh cosine_rate cov crelu
syntax keyword actFunction cross_entropy cumprod cumsum derive det diag digamma digits dot eig eigh einsum elu
syntax keyword actFunction ends_with erf erfc error exp exp2 expand_dims expm1 exponential eye f32 f64 filter fit
syntax keyword actFunction flatten flip floor fmod format formula forward freeze from_json full gamma gaussian geglu
syntax keyword actFunction gelu gelu_new gelu_sigmoid gelu_tanh glu grad gradient_flow grid_sample hard_shrink
syntax keyword actFunction hard_sigmoid hard_silu hard_swish hard_tanh hardmax heatmap heaviside help hessian hinge
syntax keyword actFunction hist histogram history huber hvp hypot identity image import int interp inv isclose isfinite
syntax keyword actFunction isinf isnan isrlu isru jacobian join jvp keys kinks kl_div kron leaky_relu len lgamma linear
syntax keyword actFunction linspace lisht load log log10 log1p log2 log_sigmoid log_softmax logcosh logistic logsumexp
syntax keyword actFunction lower lstsq mae map matmul matrix_power matrix_rank max max_pool maximum maxout mean median
syntax keyword actFunction meshgrid min minimum mish mse nanmax nanmean nanmin nanquantile nanstd nansum ndim nll
syntax keyword actFunction nonzero norm normalize number one_hot ones outer pad panels parameters permutation pinv plot
syntax keyword actFunction polyfit polyval prelu print prod put_along qr quantile quick_gelu r2 rand randint randn
syntax keyword actFunction range rank ranks reduce reglu relu relu2 relu6 repeat replace repr reshape resize roll round
syntax keyword actFunction rrelu save scan scatter scatter_add searchsorted seed segment_sum selu serf shape shift_left
syntax keyword actFunction shift_right show sigmoid sign silu sin sinc sinh siren size slogdet snake soft_shrink
syntax keyword actFunction softmax softmin softplus softsign solve sort sparse_plus sparse_sigmoid sparsemax split
syntax keyword actFunction spread sqrt squareplus squeeze stack star_relu starts_with state std step step_rate
syntax keyword actFunction stop_gradient sum summary svd swapaxes swiglu swish take_along tan tanh tanh_shrink tanhexp
syntax keyword actFunction threshold thresholded_relu tile timeit to_json top_k trace transpose trelu tril trim triu
syntax keyword actFunction trunc type unflatten unfreeze unique update upper value_and_grad var vjp vmap weights where
syntax keyword actFunction why with_derivative xor zeros σ
syntax match actFunction #\<\%(contains\)\>#
syntax keyword actMaker Adagrad Adam AdamW Attention AvgPool1D AvgPool2D AvgPool3D BatchNorm Branch Conv1D Conv2D
syntax keyword actMaker Conv3D ConvTranspose1D ConvTranspose2D ConvTranspose3D Dense Dropout Embedding FReLU Flatten
syntax keyword actMaker GRU GlobalAvgPool GroupNorm InstanceNorm LBFGS LSTM LayerNorm Lion MaxPool1D MaxPool2D
syntax keyword actMaker MaxPool3D Maxout Nadam PReLU Positions RMSNorm RMSProp RNN Residual SGD Upsample2D
syntax keyword actConstant e inf nan pi π

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

let b:current_syntax = "act"
