using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Metering;

namespace ConvNet.Grains.Jobs;

/// <summary>What the job grain tells those who measure.</summary>
internal sealed partial class JobGrain
{
    private long? _savedAt;
    private int _meteredLosses;
    private long _meteredEvents;

    private void Measure()
    {
        if (Machine.LostWorkers > _meteredLosses)
        {
            JobMeter.AddLost(Machine.LostWorkers - _meteredLosses);
            _meteredLosses = Machine.LostWorkers;
        }

        if (Machine.Events.Next > _meteredEvents)
        {
            IEnumerable<RunEvent> news = Machine.Events.Since(_meteredEvents).Select(happened => happened.Event);
            foreach (RunEvent.MembersChanged change in news.OfType<RunEvent.MembersChanged>())
            {
                if (change.Lost.Length > 0)
                {
                    JobMeter.AddRecovery(change.GapSeconds);
                }
            }

            _meteredEvents = Machine.Events.Next;
        }

        if (Machine.Step > 0)
        {
            Metrics epoch = Machine.Reached.Position.Epoch.Sums;
            double accuracy = epoch.Count == 0 ? 0 : (double)epoch.Correct / epoch.Count;
            StepRow last = Machine.Rows.Last;
            EvaluationResult? tested = Machine.Evaluation;
            JobMeter.Tell(
                JobId,
                new JobFigures(Machine.TrainLoss, accuracy, tested?.Loss, tested?.Accuracy, last.LearningRate, last.GradientNorm, _savedAt));
        }
    }
}
