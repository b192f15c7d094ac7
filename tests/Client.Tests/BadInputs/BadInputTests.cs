using ConvNet.Client.Tests.Commands;
using Xunit;

namespace ConvNet.Client.Tests.BadInputs;

public sealed class BadInputTests(GoodRun good) : IClassFixture<GoodRun>
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);

    public static TheoryData<string> Names => [.. BadInputs.All.Select(input => input.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Bad_input_ends_with_its_code_and_a_sentence_that_names_the_place(string name)
    {
        BadInput input = BadInputs.All.Single(known => known.Name == name);
        using var files = new SpoiltFiles(good.Checkpoint);

        string[] command = input.Command(files);
        CommandLineRun run = await Task.Run(() => CommandLineRun.RunAsync(command)).WaitAsync(Deadline, TestContext.Current.CancellationToken);

        Assert.Contains(input.Fragment, run.Error);
        Assert.Equal(input.Code, run.ExitCode);
        Assert.DoesNotContain("   at ", run.Error);
        Assert.DoesNotContain("System.", run.Error);
        Assert.DoesNotContain("secret", run.Error);
        Assert.DoesNotContain(run.Error, character => character != '\n' && char.IsControl(character));
        Assert.Equal("", run.Out);
    }
}
