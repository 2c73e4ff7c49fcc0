"""Published models in other frameworks' files, made into ONNX graphs and compared with their originals.

The modules for PyTorch need the training group, those for Keras and TFLite an environment of their own
(`make .venv-import`): TensorFlow never meets what Signstream runs on.
"""
