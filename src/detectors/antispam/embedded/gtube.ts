/** The test string for spam filters; put together here, so that this file is no test message itself. */
export const GTUBE = ['XJS*C4JDBQADN1.NSBN3*2IDNEN*', 'GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL', '*C.34X'].join('');

/** Score of a message that bears it. */
export const GTUBE_SCORE = 1000;
