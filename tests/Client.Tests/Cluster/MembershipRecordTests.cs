using ConvNet.Silo;
using Xunit;

namespace ConvNet.Client.Tests.Cluster;

public sealed class MembershipRecordTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private readonly MembershipRecord _record = new(Patience);
    private int _second;

    [Fact]
    public void A_row_is_lost_when_two_readings_in_a_row_do_not_find_it_and_is_back_when_one_does()
    {
        Assert.False(Observe(MembershipReading.Present));
        Assert.False(Observe(MembershipReading.NoTable));
        Assert.False(Observe(MembershipReading.Present));
        Assert.False(Observe(MembershipReading.NoTable));
        Assert.False(_record.IsLost);

        Assert.True(Observe(MembershipReading.NoTable));
        Assert.True(_record.IsLost);
        Assert.False(Observe(MembershipReading.NoTable));
        Assert.False(_record.IsReplaced);

        Assert.True(Observe(MembershipReading.Present));
        Assert.False(_record.IsLost);
    }

    [Fact]
    public void A_cluster_is_begun_anew_when_two_readings_in_a_row_find_a_table_without_the_row()
    {
        Observe(MembershipReading.NoTable);
        Observe(MembershipReading.OtherTable);
        Assert.True(_record.IsLost);
        Assert.False(_record.IsReplaced);

        Observe(MembershipReading.OtherTable);
        Assert.True(_record.IsReplaced);
    }

    [Fact]
    public void A_store_that_does_not_answer_leaves_open_what_it_holds_and_cuts_the_silo_off_after_a_while()
    {
        Observe(MembershipReading.Present);
        for (int second = 0; second <= Patience.TotalSeconds; second++)
        {
            Assert.False(_record.IsCutOff);
            Assert.False(Observe(MembershipReading.NoAnswer));
        }

        Assert.True(_record.IsCutOff);
        Assert.False(_record.IsLost);
        Observe(MembershipReading.NoTable);
        Assert.False(_record.IsCutOff);
        Observe(MembershipReading.NoAnswer);
        Assert.True(Observe(MembershipReading.NoTable));
    }

    private bool Observe(MembershipReading reading) => _record.Observe(reading, TimeSpan.FromSeconds(_second++));
}
