"""The only room that imports onnx and onnxruntime: the model, the exporter and a generate-only engine."""
