"""ONNX alone: the exporter, and an engine that generates on onnxruntime."""
