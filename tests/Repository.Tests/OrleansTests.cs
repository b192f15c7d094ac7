using System.Text.RegularExpressions;
using Xunit;

namespace ConvNet.Repository.Tests;

/// <summary>What runs in a simulator and what travels know nothing of Orleans.</summary>
public sealed partial class OrleansTests
{
    [Fact]
    public void The_engine_uses_nothing_of_Orleans() => Findings.AssertNone(Uses(["src/Engine"], AnyUse()));

    [Fact]
    public void The_protocol_uses_nothing_of_Orleans_and_no_grain() => Findings.AssertNone(Uses(["src/Grains/Protocol"], AnyUse()));

    [Fact]
    public void Messages_and_jobs_use_only_the_attributes_of_the_serializer() =>
        Findings.AssertNone(Uses(["src/Grains/Contracts/Messages", "src/Grains/Contracts/Jobs"], TypeUse()));

    private static IEnumerable<string> Uses(string[] folders, Regex pattern) =>
        from file in SourceTree.Under(folders)
        from name in file.Identifiers
        where pattern.IsMatch(name)
        select $"{file.Name} uses {name}";

    [GeneratedRegex(@"^(Orleans|I?Grain(Id|Factory|With\w+)?|I[A-Z]\w*Grain|SiloAddress|AlwaysInterleave|GenerateSerializer|Immutable|Alias|Id)$")]
    private static partial Regex AnyUse();

    [GeneratedRegex(@"^(Orleans|I?Grain(Id|Factory|With\w+)?|I[A-Z]\w*Grain|SiloAddress|AlwaysInterleave)$")]
    private static partial Regex TypeUse();
}
