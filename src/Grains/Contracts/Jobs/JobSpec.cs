using System.Text.Json;
using System.Text.Json.Serialization;
using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Files;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;

namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>
/// All that decides the result of a training job, and nothing else: two runs with equal specs end in the same bits. Travels and is
/// stored as JSON.
/// </summary>
public sealed record JobSpec
{
    /// <summary>Raised by every change of kernels or rules that changes bits.</summary>
    public const int CurrentNumericsVersion = 2;

    private const int MaxDepth = 40;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowOutOfOrderMetadataProperties = true,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase), new ModelSpecConverter() },
    };

    public int NumericsVersion { get; init; } = CurrentNumericsVersion;

    public required ModelSpec Model { get; init; }

    public required DataReference Data { get; init; }

    public required InputAdapter Adapter { get; init; }

    /// <summary>What the model's outputs mean, in their order; null in jobs of builds that did not keep it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string[]? ClassNames { get; init; }

    public required int TrainSamples { get; init; }

    public required int TestSamples { get; init; }

    public required OptimizerSpec Optimizer { get; init; }

    public required LearningRateSchedule Schedule { get; init; }

    /// <summary>Largest global gradient norm, or null for no clipping.</summary>
    public double? ClipNorm { get; init; }

    public Augmentation? Augmentation { get; init; }

    public BatchNormMode BatchNormMode { get; init; }

    public RunningAverage RunningAverage { get; init; }

    public InitializationKind Initialization { get; init; }

    /// <summary>B, over all workers.</summary>
    public required int Batch { get; init; }

    /// <summary>Leave out the smaller batch at the end of each epoch. Not written when false, as before there was a choice.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool DropLast { get; init; }

    /// <summary>S.</summary>
    public required int DataShards { get; init; }

    public required ulong Seed { get; init; }

    /// <summary>What becomes of a step whose values are not finite. Not written when they are skipped, as before there was a choice.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public NonFinitePolicy NonFinite { get; init; }

    /// <summary>T, over which schedules run.</summary>
    public required long TotalSteps { get; init; }

    /// <summary>The oracle's kernels are for tests: they are slow, and their bits are their own.</summary>
    public KernelSet Kernels { get; init; }

    [JsonIgnore]
    public JobShape Shape => new(TrainSamples, Batch, DataShards, TotalSteps, DropLast);

    [JsonIgnore]
    public int StepsPerEpoch => Shape.StepsPerEpoch;

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>Whether two descriptions mean the same job. Where the data lies is no part of it: their hash is.</summary>
    public bool IsSameJob(JobSpec other) => WithoutPlace().ToJson() == other.WithoutPlace().ToJson();

    /// <param name="toEvaluate">True to accept jobs of an older numerics version: their weights mean the same, but training would go on in other bits.</param>
    /// <exception cref="ConvNetException">The text is no job of this program's version (exit code 3).</exception>
    public static JobSpec FromJson(string json, bool toEvaluate = false)
    {
        const string Source = "the job's description";
        using JsonDocument document = JsonText.Parse(json, Source, MaxDepth);
        JobSpec spec = JsonText.Make<JobSpec>(document, Source, Json);
        if (spec.NumericsVersion != CurrentNumericsVersion && !(toEvaluate && spec.NumericsVersion < CurrentNumericsVersion))
        {
            throw ConvNetException.BadInput(
                $"the job was made with numerics version {spec.NumericsVersion}, this program computes version {CurrentNumericsVersion} " +
                "and would end in other bits; use the program that made it, or start a new job.");
        }

        spec.CheckLimits();
        return spec;
    }

    /// <summary>Bounds what a description can make a silo allocate, whoever wrote it.</summary>
    private void CheckLimits()
    {
        Check("batch", Batch, JobLimits.MaxBatch);
        Check("dataShards", DataShards, JobLimits.MaxDataShards);
        Check("trainSamples", TrainSamples, int.MaxValue);
        Check("testSamples", TestSamples, int.MaxValue);
        Check("totalSteps", TotalSteps, long.MaxValue);
        CheckAdapter();
        if (DropLast && TrainSamples < Batch)
        {
            throw ConvNetException.BadInput(
                $"the job's trainSamples are {TrainSamples}; with dropLast they must be at least one batch of {Batch}.");
        }
    }

    private void CheckAdapter()
    {
        Shape image = Adapter.Image;
        if (Adapter.Model != Model.Input || Math.Min(image.C, Math.Min(image.H, image.W)) < 1)
        {
            throw ConvNetException.BadInput($"the job turns images of {image} into {Adapter.Model}, but its model takes {Model.Input}.");
        }

        _ = InputAdapter.For(image, Adapter.Mean, Adapter.Std, Adapter.Model);
    }

    private JobSpec WithoutPlace() => this with { Data = Data with { NameOrPath = "" } };

    private static void Check(string name, long value, long most)
    {
        if (value < 1 || value > most)
        {
            throw ConvNetException.BadInput($"the job's {name} is {value}; it must be 1 … {most}.");
        }
    }

    /// <summary>A model as its own JSON, the same as in a model file.</summary>
    private sealed class ModelSpecConverter : JsonConverter<ModelSpec>
    {
        public override ModelSpec Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            return ModelFile.Parse(document.RootElement.GetRawText(), "the job's model");
        }

        public override void Write(Utf8JsonWriter writer, ModelSpec value, JsonSerializerOptions options) => writer.WriteRawValue(ModelFile.Write(value));
    }
}
