// Usage: peer FILE.onnx THREADS STEPS BATCH CHANNELS SIDE. Prints images/s of evaluation, median and best.
using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;

int threads = int.Parse(args[1]), steps = int.Parse(args[2]), batch = int.Parse(args[3]);
int channels = int.Parse(args[4]), side = int.Parse(args[5]);
using var options = new SessionOptions
{
    IntraOpNumThreads = threads,
    InterOpNumThreads = 1,
    ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
    GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
};
using var session = new InferenceSession(args[0], options);
var random = new Random(1);
float[] pixels = [.. Enumerable.Range(0, batch * channels * side * side).Select(_ => (float)(random.NextDouble() * 2 - 1))];
using OrtValue x = OrtValue.CreateTensorValueFromMemory(pixels, [batch, channels, side, side]);
using var run = new RunOptions();
var seconds = new List<double>();
for (int i = 0; i < steps + 2; i++)
{
    long start = Stopwatch.GetTimestamp();
    using var outputs = session.Run(run, [session.InputNames[0]], [x], session.OutputNames);
    if (i >= 2)
    {
        seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
    }
}

seconds.Sort();
Console.WriteLine($"onnxruntime {OrtEnv.Instance().GetVersionString()} {Path.GetFileNameWithoutExtension(args[0])} threads={threads} batch={batch} " +
    $"eval images/s median={batch / seconds[seconds.Count / 2]:F1} best={batch / seconds[0]:F1}");
