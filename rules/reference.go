package rules

// Where AWS describes its calls; a rule's Reference adds the page.
const (
	ec2API     = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_"
	s3API      = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_"
	s3Guide    = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/"
	rdsAPI     = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_"
	kmsAPI     = "https://docs.aws.amazon.com/kms/latest/APIReference/API_"
	bedrockAPI = "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_"
	backupAPI  = "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_"
	efsAPI     = "https://docs.aws.amazon.com/efs/latest/ug/API_"
	ecrAPI     = "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_"
)
