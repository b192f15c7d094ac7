namespace ConvNet.Tests;

/// <summary>Whether the longer tests are asked for, as './test --full' does.</summary>
internal static class FullRun
{
    /// <summary>Why a longer test is left out.</summary>
    public const string Needed = "longer test: run ./test --full";

    public static bool IsAsked { get; } = Environment.GetEnvironmentVariable("CONVNET_TEST_FULL") is "1";
}
