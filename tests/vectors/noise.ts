/**
 * Published vectors for `Noise_IK_25519_AESGCM_SHA256`, in hexadecimal.
 *
 * @module
 */

/** A whole handshake and what is said after it, the private keys given. */
export interface NoiseVector {
  /** Where it was published. */
  readonly source: string;
  readonly prologue: string;
  readonly initiatorStatic: string;
  readonly initiatorEphemeral: string;
  readonly responderStatic: string;
  readonly responderEphemeral: string;
  /** The hash of the whole handshake, where it was published. */
  readonly hash?: string;
  /** Message one, message two, then transport messages in turn, the initiator's first. */
  readonly messages: readonly { readonly payload: string; readonly message: string }[];
}

/** mcginty/snow, tests/vectors/cacophony.txt, commit aabed3159deec0a0dfe3d5601c43322d84700c94. */
const CACOPHONY = "cacophony";
/** flynn/noise, vectors.txt, commit 06e2f3c6. */
const FLYNN = "flynn/noise";

/** Every published vector that was found for this very protocol name. */
export const NOISE_VECTORS: readonly NoiseVector[] = [
  {
    source: CACOPHONY,
    prologue: "4a6f686e2047616c74",
    initiatorStatic: "e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1",
    initiatorEphemeral: "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a",
    responderStatic: "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893",
    responderEphemeral: "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b",
    hash: "669c8640d9e42a3cda2f232f78597ceefb01daa6e3df81181ccce6fc6b5026bf",
    messages: [
      {
        payload: "4c756477696720766f6e204d69736573",
        message: "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c79444e417bc5" +
          "5c7a8166c993356c1be41ef67818a292426f301556c7f26b21d25ddb097153891a9a956c" +
          "ff47b83e63ad8d701c1342c209cff1ca5ecd43402762ac249e3bd3a4c0a145fe07cb5dae" +
          "28ea13a3",
      },
      {
        payload: "4d757272617920526f746862617264",
        message: "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843af2ccf99" +
          "72e22afc67aeafcd25162f7f98c363b7762e3e4cb7d272e39f27a5",
      },
      {
        payload: "462e20412e20486179656b",
        message: "66acfc92e3197de166809e6d4d5d003dcc819a84bc3522ca53c9d9",
      },
      {
        payload: "4361726c204d656e676572",
        message: "71f89aa6533a6de70b0826864dd75f60806ee40170c16290189eb3",
      },
      {
        payload: "4a65616e2d426170746973746520536179",
        message: "4795a3423550c8bf00386bd496a3e2c76c10669d2a75ab8f79b5094c5412a25705",
      },
      {
        payload: "457567656e2042f6686d20766f6e2042617765726b",
        message: "aa0bb39097555c918e40be82abc2b909eb79d9eb87adb07e268fc37323a6cf904fd01fb3" +
          "91",
      },
    ],
  },
  {
    source: `${FLYNN}, vector 1`,
    prologue: "",
    initiatorStatic: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    initiatorEphemeral: "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
    responderStatic: "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
    responderEphemeral: "4142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f60",
    messages: [
      {
        payload: "",
        message: "358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd16625419d6fab1" +
          "75300a577115c701c41ed681373f0432f81d3bf8676bd05216cd1919ba2eaa418fdd8e09" +
          "ae59d7cf57869de42789c3b9ca915c2cacf009f9d0e4436e",
      },
      {
        payload: "",
        message: "64b101b1d0be5a8704bd078f9895001fc03e8e9f9522f188dd128d9846d4846623c019a1" +
          "24da3f096e964fe624cf65db",
      },
      {
        payload: "79656c6c6f777375626d6172696e65",
        message: "80a75e75c8e8d2e9c2a6c7bc6e550c4997d6d2b45429a530821c4aa5d36f27",
      },
      {
        payload: "7375626d6172696e6579656c6c6f77",
        message: "b8475410da62a98493d33a1e669f8f56dd8f61d449b53bd375299c3435424a",
      },
    ],
  },
  {
    source: `${FLYNN}, vector 2`,
    prologue: "",
    initiatorStatic: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    initiatorEphemeral: "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
    responderStatic: "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
    responderEphemeral: "4142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f60",
    messages: [
      {
        payload: "746573745f6d73675f30",
        message: "358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd16625419d6fab1" +
          "75300a577115c701c41ed681373f0432f81d3bf8676bd05216cd1919ba2eaa418fdd8e09" +
          "ae59d7cf57869de4e6d8177aa9777fe9b843100e255aee76034f61b96b52af38660c",
      },
      {
        payload: "746573745f6d73675f31",
        message: "64b101b1d0be5a8704bd078f9895001fc03e8e9f9522f188dd128d9846d4846658a7bb8c" +
          "aac509783390e5a04df4a3ca570b2bcdf65f8c1c40cd",
      },
      {
        payload: "79656c6c6f777375626d6172696e65",
        message: "80a75e75c8e8d2e9c2a6c7bc6e550c4997d6d2b45429a530821c4aa5d36f27",
      },
      {
        payload: "7375626d6172696e6579656c6c6f77",
        message: "b8475410da62a98493d33a1e669f8f56dd8f61d449b53bd375299c3435424a",
      },
    ],
  },
  {
    source: `${FLYNN}, vector 3`,
    prologue: "6e6f74736563726574",
    initiatorStatic: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    initiatorEphemeral: "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
    responderStatic: "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
    responderEphemeral: "4142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f60",
    messages: [
      {
        payload: "",
        message: "358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd16625419d6fab1" +
          "75300a577115c701c41ed681373f0432f81d3bf8676bd05216cd1919e61b75ccef0c0cf0" +
          "b216fcdf371d0859ab50373f8c7b70a239f8cc8318e6075b",
      },
      {
        payload: "",
        message: "64b101b1d0be5a8704bd078f9895001fc03e8e9f9522f188dd128d9846d48466bb50a12b" +
          "50b0b1b43fc6725181315302",
      },
      {
        payload: "79656c6c6f777375626d6172696e65",
        message: "80a75e75c8e8d2e9c2a6c7bc6e550c4997d6d2b45429a530821c4aa5d36f27",
      },
      {
        payload: "7375626d6172696e6579656c6c6f77",
        message: "b8475410da62a98493d33a1e669f8f56dd8f61d449b53bd375299c3435424a",
      },
    ],
  },
  {
    source: `${FLYNN}, vector 4`,
    prologue: "6e6f74736563726574",
    initiatorStatic: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    initiatorEphemeral: "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
    responderStatic: "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
    responderEphemeral: "4142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f60",
    messages: [
      {
        payload: "746573745f6d73675f30",
        message: "358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd16625419d6fab1" +
          "75300a577115c701c41ed681373f0432f81d3bf8676bd05216cd1919e61b75ccef0c0cf0" +
          "b216fcdf371d0859e6d8177aa9777fe9b8435bb6f8202c3acd9051a9aee0a63e76f6",
      },
      {
        payload: "746573745f6d73675f31",
        message: "64b101b1d0be5a8704bd078f9895001fc03e8e9f9522f188dd128d9846d4846658a7bb8c" +
          "aac5097833909e90778571d34ce0e5b6ea4c3a76f102",
      },
      {
        payload: "79656c6c6f777375626d6172696e65",
        message: "80a75e75c8e8d2e9c2a6c7bc6e550c4997d6d2b45429a530821c4aa5d36f27",
      },
      {
        payload: "7375626d6172696e6579656c6c6f77",
        message: "b8475410da62a98493d33a1e669f8f56dd8f61d449b53bd375299c3435424a",
      },
    ],
  },
];
