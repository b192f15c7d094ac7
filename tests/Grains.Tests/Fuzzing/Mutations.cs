using ConvNet.Engine.Errors;
using Xunit;

namespace ConvNet.Grains.Tests.Fuzzing;

/// <summary>Good content with a few bytes changed, cut, doubled or put in, made with a seed: each is read, or refused with a code.</summary>
internal static class Mutations
{
    private const long MaxAllocated = 64L << 20;
    private const int Longest = 20;
    private static readonly TimeSpan Deadline = TimeSpan.FromHours(1);

    private static int Count => FullRun.IsAsked ? 100_000 : 2_000;

    /// <summary>Hands every mutation to a reader, which takes it or throws a <see cref="ConvNetException"/>.</summary>
    /// <param name="good">What the mutations are made of, in turn.</param>
    /// <returns>The share of mutations that were refused.</returns>
    public static async Task<double> RefusedAsync(byte[][] good, Action<byte[]> read) => await Task.Run(() =>
    {
        var random = new Random(1);
        int refused = 0;
        for (int i = 0; i < Count; i++)
        {
            byte[] mutant = Mutate(good[i % good.Length], random);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                read(mutant);
            }
            catch (ConvNetException e)
            {
                Assert.Contains(e.ExitCode, (ExitCode[])[ExitCode.BadInput, ExitCode.Conflict]);
                Assert.DoesNotContain("System.", e.Message);
                refused++;
            }
            catch (Exception e)
            {
                Assert.Fail($"mutation {i}, {Convert.ToBase64String(mutant)}: {e}");
            }

            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MaxAllocated);
        }

        return (double)refused / Count;
    }).WaitAsync(Deadline, TestContext.Current.CancellationToken);

    private static byte[] Mutate(byte[] good, Random random)
    {
        List<byte> bytes = [.. good];
        for (int changes = random.Next(1, 4); changes > 0 && bytes.Count > 0; changes--)
        {
            int at = random.Next(bytes.Count);
            int length = Math.Min(random.Next(1, Longest), bytes.Count - at);
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.RemoveRange(at, length);
                    break;
                case 3:
                    bytes.InsertRange(at, bytes.GetRange(at, length));
                    break;
                default:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
            }
        }

        return [.. bytes];
    }
}
