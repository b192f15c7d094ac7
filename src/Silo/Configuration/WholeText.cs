using System.Globalization;

namespace ConvNet.Silo.Configuration;

/// <summary>Whole numbers as people write them.</summary>
public static class WholeText
{
    /// <summary>The number; one that does not fit is a very large one, which the check of its range refuses; null if the text is none.</summary>
    public static long? Parse(string text)
    {
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value))
        {
            return value;
        }

        string digits = text.TrimStart('-', '+');
        bool isWhole = digits.Length > 0 && text.Length - digits.Length <= 1 && digits.All(char.IsAsciiDigit);
        return !isWhole ? null : text[0] == '-' ? long.MinValue : long.MaxValue;
    }

    /// <summary>A number for an error: nobody wrote what stands for one that does not fit.</summary>
    public static string Show(long value) => value is long.MaxValue or long.MinValue ? "a number that is far outside" : $"{value}";
}
