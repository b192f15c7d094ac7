using System.Globalization;
using ConvNet.Engine.Errors;

namespace ConvNet.Engine.Data;

/// <summary>Numbers the classes of a data set as a model does, by their names.</summary>
public static class ClassMatch
{
    /// <summary>Whether the names are 0, 1, 2, …: all that IDX and CIFAR files say.</summary>
    public static bool AreNumbers(IReadOnlyList<string> names) =>
        names.Select((name, i) => name == i.ToString(CultureInfo.InvariantCulture)).All(isNumber => isNumber);

    /// <summary>The same images, with the labels that the model was trained with.</summary>
    /// <param name="classNames">The model's classes in the order of its outputs.</param>
    /// <param name="source">What messages call the images.</param>
    /// <exception cref="ConvNetException">The images have a class that the model does not know (exit code 3).</exception>
    public static ImageSet ByName(ImageSet set, IReadOnlyList<string> classNames, string source)
    {
        string[] unknown = [.. set.ClassNames.Except(classNames)];
        if (unknown.Length > 0)
        {
            throw ConvNetException.BadInput(
                $"{source}: the model does not know the {(unknown.Length == 1 ? "class" : "classes")} {List(unknown)}. The data have " +
                $"{List(set.ClassNames)}; the model was trained on {List(classNames)}. Leave out or rename what it does not know.");
        }

        int[] numbers = [.. set.ClassNames.Select(name => classNames.TakeWhile(known => known != name).Count())];
        int[] labels = new int[set.Count];
        for (int i = 0; i < labels.Length; i++)
        {
            labels[i] = numbers[set.Labels[i]];
        }

        return set.WithLabels(labels, classNames);
    }

    private static string List(IReadOnlyList<string> names)
    {
        const int Shown = 100;
        string more = names.Count > Shown ? $", … ({names.Count} in all)" : "";
        return string.Join(", ", names.Take(Shown).Select(name => PrintableText.Of(name))) + more;
    }
}
