import ActONNX
import Testing

@Suite struct ModelTests {
    @Test func elementTypesHaveTheNumbersOfONNX() {
        // TensorProto.DataType of onnx.proto.
        #expect(ONNXElementType.float.rawValue == 1)
        #expect(ONNXElementType.int64.rawValue == 7)
        #expect(ONNXElementType.double.rawValue == 11)
        #expect(ONNXElementType.bfloat16.rawValue == 16)
    }
}
