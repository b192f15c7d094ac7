using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

public class JobPlacementTests
{
    private static readonly SiloOffer[] Silos =
    [
        new("a", Devices: 1, Threads: 2, Workers: true, Servers: true),
        new("b", Devices: 2, Threads: 3, Workers: true, Servers: false),
        new("c", Devices: 1, Threads: 1, Workers: false, Servers: true),
    ];

    [Fact]
    public void Workers_are_dealt_device_by_device_over_the_silos_that_have_the_role()
    {
        JobPlacement placement = Plan(3);

        Assert.Equal(["a/0", "b/0", "b/1"], placement.Workers.Select(worker => worker.Name));
        Assert.Equal([2, 3, 3], placement.Workers.Select(worker => worker.Threads));
        Assert.Equal([new ShardRange(0, 2), new ShardRange(2, 4), new ShardRange(4, 6)], placement.Workers.Select(worker => worker.Shards));
    }

    [Fact]
    public void The_jobs_own_number_of_threads_goes_before_the_silos()
    {
        JobPlacement placement = JobPlacement.Plan("job", 6, new JobLayout(3, 7, 0), Silos, new HashSet<string>());

        Assert.All(placement.Workers, worker => Assert.Equal(7, worker.Threads));
    }

    [Fact]
    public void Devices_that_serve_other_jobs_are_left_to_them()
    {
        JobPlacement placement = JobPlacement.Plan("job", 6, new JobLayout(2, 0, 0), Silos, new HashSet<string> { "a/0" });

        Assert.Equal(["b/0", "b/1"], placement.Workers.Select(worker => worker.Name));
    }

    [Fact]
    public void Partitions_go_round_the_server_silos_and_there_are_at_least_two()
    {
        Assert.Equal(["a/job/0", "c/job/1"], Plan(1).Servers.Partitions);
        Assert.Equal(["a/job/0", "a/job/1"], JobPlacement.Plan("job", 6, new JobLayout(1, 0, 0), Silos[..1], new HashSet<string>()).Servers.Partitions);
        Assert.Equal(
            ["a/job/0", "c/job/1", "a/job/2"], JobPlacement.Plan("job", 6, new JobLayout(1, 0, 3), Silos, new HashSet<string>()).Servers.Partitions);
    }

    [Fact]
    public void The_silos_of_a_job_are_those_that_do_something_for_it()
    {
        Assert.Equal(["a", "c"], Plan(1).Silos.Order());
        Assert.Equal(["a", "b", "c"], Plan(2).Silos.Order());
    }

    [Fact]
    public void A_generation_is_the_incarnation_of_its_workers()
    {
        Assignment assignment = Plan(2).Assign("job", "{}", generation: 5, firstStep: 9);

        Assert.Equal(("job", 5, 9), (assignment.JobId, assignment.Generation, assignment.FirstStep));
        Assert.All(assignment.Workers, worker => Assert.Equal(5, worker.Incarnation));
        Assert.Equal(new MessageHeader("job", 5, 10, 1, 5), assignment.HeaderOf(10, worker: 1));
    }

    [Fact]
    public void What_is_missing_is_counted_and_named()
    {
        ConvNetException few = Assert.Throws<ConvNetException>(() => Plan(4));
        Assert.Equal(ExitCode.Environment, few.ExitCode);
        Assert.Contains("4 workers", few.Message);
        Assert.Contains("3 devices in all", few.Message);
        Assert.Contains("b with 2", few.Message);

        ConvNetException many = Assert.Throws<ConvNetException>(() => Plan(7));
        Assert.Equal(ExitCode.BadInput, many.ExitCode);
        Assert.Contains("6 data shards", many.Message);

        ConvNetException serverless = Assert.Throws<ConvNetException>(
            () => JobPlacement.Plan("job", 6, new JobLayout(1, 0, 0), Silos[1..2], new HashSet<string>()));
        Assert.Contains("role 'server'", serverless.Message);
    }

    [Fact]
    public void A_job_that_can_begin_with_fewer_workers_takes_all_that_are_free_up_to_what_it_asks_for()
    {
        var layout = new JobLayout(3, 0, 0, MinWorkers: 2);
        Assert.Equal(3, JobPlacement.Plan("job", 6, layout, Silos, new HashSet<string>()).Workers.Length);
        JobPlacement two = JobPlacement.Plan("job", 6, layout, Silos, new HashSet<string> { "a/0" });
        Assert.Equal([new ShardRange(0, 3), new ShardRange(3, 6)], two.Workers.Select(worker => worker.Shards));
        ConvNetException few = Assert.Throws<ConvNetException>(() => JobPlacement.Plan("job", 6, layout, Silos, new HashSet<string> { "a/0", "b/0" }));
        Assert.Contains("at least 2 workers, but the cluster has 1 free devices", few.Message);
    }

    [Fact]
    public void Checkpoints_are_written_where_they_were_before_as_long_as_that_silo_serves()
    {
        Assert.Equal("c/job", JobPlacement.Plan("job", 6, new JobLayout(1, 0, 0), Silos, new HashSet<string>(), home: "c").Servers.Checkpoint);
        Assert.Equal("a/job", JobPlacement.Plan("job", 6, new JobLayout(1, 0, 0), Silos, new HashSet<string>(), home: "gone").Servers.Checkpoint);
    }

    private static JobPlacement Plan(int workers) => JobPlacement.Plan("job", 6, new JobLayout(workers, 0, 0), Silos, new HashSet<string>());
}
