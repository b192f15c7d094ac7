using ConvNet.Engine.Data;
using Xunit;

namespace ConvNet.Engine.Tests.Data;

public sealed class TriangleResizeTests
{
    // Made by Pillow's Image.frombytes("L", (width, height), pixels).resize((newWidth, newHeight), Image.BILINEAR).
    [Theory]
    [InlineData(47, 61, 12, 16,
        "GDZ6sI5vfnt7cn+ClYl3cTxPcaNdgYuFgYCJhZB0ino/VoSmUJCDl4R9epJ5c5OBO1idvlmIZZ2DiYWRdHiMdl1zlJNkqXCBhHZ8gYiEhpFJbrNlWYmBlnx7gHiBh3mNYo" +
        "O0dniDgoyAd3Nwd4F/d2yRq2qOkYmLhH11dIl6fXVgkKFCjJKScX95f4WCm51yg6qsV5pajnl9johydoqMjnSkglygdImIgpWXhnx3dYaCsnxioHaPeXuIkYR2hHt4")]
    [InlineData(300, 16, 16, 16,
        "NDk/RUtTXG18i5uqr7mYglhdY2t3hZOirranlIBTSVl1gI2bqLe8tJxsSERRbYyomaWzv7Otc2I/SGSCoLKqe7fCwJllXTpUb42quKBiUmK4rIpGQlRwjqyvl2NIZIqngV" +
        "VDS2eFpbetU0leiK2maDg4VHSWub5+S1J+prJ/UWc6XH+jxKFcTGuXu4lWW4yvXoClvpRKT3qns3ZQdKSkZnylxX9AU4KwnFVShrOLUHWfxpdLVom8nTdclrNaUIquvp9G" +
        "U4W3pUtmop9WXJ2cUcBNRny0jUNmobdLZ6uVRn2COHGrsi9foZ1Laq+RUIyjNlmUx2dUltVWXqiFUYmzUQ==")]
    [InlineData(16, 300, 16, 16,
        "aHmDf4V8cm5lcXh6cHd8c2lxfHWPkod4am58h359bXhxh4JziYh2dF5UdoCEk4V3an2BdX1ndYh8dIRzcXyDd3CKhoR+c36JlYiDgXWLfYFuhId6fIR/h3aNd3h4g3h8ZX" +
        "uAaIeHfn6DpIF3h4B/fmp/gniNiYmFmLOJeH1uhn55in+GkXR8fYhkgYeHloKBZYCFh359hod9Wn2FeGZ5hnuMg4WCfnt+a3B/jpGAcYx8iIGThn+MhY2Lg3t3g4uDdH+B" +
        "kIOKhY+gkICCiIeFdnyBh42Hg4OAp5F1d4KCeomCh4N5h42EgK57iY+GlYmCe4SBhnJ0eoSIc4R7iIyIiQ==")]
    [InlineData(9, 130, 20, 7,
        "Z3mDf4V8eGd4gn2HgHxodH94i4qFanN9dI6Ri219gHOLjoFxhoNziIp3boOCdIR8c2t+gXV/bHBsgYN6f2xzb4eFgIBxeHCJhoF/d31vhod9fX+BbYOHeH2FhGl/hHCCho" +
        "Jle4FohoeAZ3yBcImIhml+gneMiYxvg4F9j4KHdoiAg5F4gHmKgIWSdX0=")]
    [InlineData(2, 3, 8, 8,
        "AAABAgMFBwcAAAECAwUHBwMDBAUGCAoKCgoLDA0PEREQEBESFBUXFxcXGBkbHB4eGhobHB4fISEaGhscHh8hIQ==")]
    [InlineData(1, 1, 2, 3,
        "AAAAAAAA")]
    [InlineData(30, 40, 5, 40,
        "HB8kKjI6Olpod4mao7m8tK13HTdXjK/TzhU9Z4Cts5MzZpvmGkmEwDY6QEdOUFpgb3+Rm63EvIsmLEZlh6G3q6wuV4O34mNGbqLYhjVvq5A+Q0tSU11qeImapLbM4H17K0" +
        "VkhafHn182XIezwYVTaZ22hzdwrNsrR01UVV5sepGirL7TkmA9KkNigqS6nGdEX4q2zqcwY5e+ci9xrJBgZWBoZ3B8i5qXn7DG3Mg7N1Bujq/ShK8kTXekzNZbaJzQSGVt" +
        "ldETToQ=")]
    [InlineData(21, 33, 20, 32,
        "AgQKDxcfMV1reoyes7i40u1+EyRfkLTOPClTXoW15iQZHCEnLzMrV2V1h5mqr7DK5XYfP3qr0FINJ1JdhLThHw4RFx0mMENwfo6gp6mur8nPXxk5dKXL8VlCbXig0L8fDA" +
        "4VGyQsOmZ0hZeqv8XH4XgJGjp1p8ztVD1pdJzMQTMoKzI4QUY/XGt8jp6tvMnEWxw7W4q12uxNN2J/qtPIPzs/RUxVX2JRX3GDjZO7x2EgOFJye5C23EYwXKrgtTVcPUFH" +
        "T1VWWUhWaHqOpM2IGDNDWHmCl73aQCpWpdsmPnJLT1ZdY1peTVxufIacxa1DK0lpi5Spz+ZJM1+u5CM5bkBES1JdZ2taanyHjqSdjmMsQmKEjaLI8FpEccD2L0R6NDg/R0" +
        "5LV2R0hpmuxKRyUiU6WnydwdumSVJ/rt+YTHcoLTQ8Q0BWhJSmsrvR2Nt6EzFRdLDkoUNLdqOvyPc9Xx0iKTE8R16LnK68x93lpj0WKkttqt1TLFeCr7zXhUJwKS82OjI9" +
        "VIKSpbnO5e3DXSE5Wn25hSMmUXyptuEtRnwsMjlAQExikaKtscbd5eiIIUFihcFMFDlkj7zK4ChBdz5FTFVgbHZ5ipqmvNSnY043V3ibtKGwVk97qOVzSHSqW2Jpb2Juc2" +
        "R1iJ2yyocmP1h3mLzGy+laPmqX6EJThr1ZYGdwdIGGd4mTlKrCfx47WXiavcjbdDhVga/oPU6CuE9WXWdyf4V2h5qqwNmWNkRScpS3wtpRLFeEskk7aZ3UZWxwXWl2fG1/" +
        "k6i+15U1UGyMrtHc30wnUn+tJzdqntU5QElRXWqBrLWvxdyWcIolQ2SGqk4oRGiUwe/YLUF1rQ==")]
    [InlineData(3, 1000, 2, 1,
        "f38=")]
    public void Images_are_resized_to_the_bytes_that_pillow_makes(int height, int width, int newHeight, int newWidth, string expected)
    {
        byte[] resized = new byte[newHeight * newWidth];

        TriangleResize.Plane(Picture(height, width), height, width, resized, newHeight, newWidth);

        Assert.Equal(Convert.FromBase64String(expected), resized);
    }

    [Theory]
    [InlineData(1, 65535, 1, 1)]
    [InlineData(300, 200, 7, 4096)]
    public void A_constant_image_stays_what_it_is(int height, int width, int newHeight, int newWidth)
    {
        byte[] plane = new byte[height * width];
        Array.Fill(plane, (byte)200);
        byte[] resized = new byte[newHeight * newWidth];

        TriangleResize.Plane(plane, height, width, resized, newHeight, newWidth);

        Assert.All(resized, pixel => Assert.InRange(pixel, 199, 201));
    }

    [Fact]
    public void Shrinking_the_long_side_leaves_the_short_one_sharp()
    {
        byte[] stripes = [.. Enumerable.Range(0, 32 * 512).Select(i => (byte)(i / 4 % 2 * 255))];
        byte[] resized = new byte[32 * 32];

        TriangleResize.Plane(stripes, 512, 32, resized, 32, 32);

        Assert.Equal(stripes[..(32 * 32)], resized);
    }

    /// <summary>Slopes, edges and texture, by whole numbers.</summary>
    private static byte[] Picture(int height, int width)
    {
        byte[] pixels = new byte[height * width];
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                long value = (((x * x * 3) + (y * 7)) >> 2) + (x * y / 5) + (((x / 7) + (y / 5)) % 2 * 40) + (((x * 2654435761L) + (y * 40503)) % 37);
                pixels[(y * width) + x] = (byte)(value % 256);
            }
        }

        return pixels;
    }
}
