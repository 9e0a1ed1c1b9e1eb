// What clang calls before a frame of more than a page: touches its pages one by one, so that Windows' guard page moves along.
// The size comes in x15, in units of 16 bytes; no register is changed but x16, x17 and the flags.
// (Microsoft, "Overview of ARM64 ABI conventions": Stack.)
	.text
	.globl	__chkstk
	.p2align	2
__chkstk:
	lsl	x16, x15, #4
	mov	x17, sp
1:	sub	x17, x17, #4096
	subs	x16, x16, #4096
	ldr	xzr, [x17]
	b.gt	1b
	ret
