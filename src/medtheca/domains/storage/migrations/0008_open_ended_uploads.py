"""Uploads in parts of which nobody told the size before; those that are there were told."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('storage', '0007_multipart_uploads'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='upload',
            name='upload_part_size_positive',
        ),
        migrations.AddField(
            model_name='upload',
            name='open_ended',
            field=models.BooleanField(db_default=False, default=False, help_text='In parts, each of which says its size: nobody told the whole.'),
        ),
        migrations.AddField(
            model_name='upload',
            name='taken',
            field=models.DateTimeField(help_text="Since when a whole open-ended upload is somebody's to make something of.", null=True),
        ),
        migrations.AddField(
            model_name='upload',
            name='whole',
            field=models.DateTimeField(help_text='When an open-ended upload was declared whole.', null=True),
        ),
        migrations.AddField(
            model_name='uploadpart',
            name='offset',
            field=models.BigIntegerField(help_text='Of an open-ended upload: where the part lies in the file.', null=True),
        ),
        migrations.AddField(
            model_name='uploadpart',
            name='size',
            field=models.BigIntegerField(help_text='Of an open-ended upload: bytes of the part.', null=True),
        ),
        migrations.AlterField(
            model_name='upload',
            name='part_size',
            field=models.BigIntegerField(help_text='Of an upload in numbered parts: bytes of each but the last; 0 until that is known.', null=True),
        ),
        migrations.AddConstraint(
            model_name='upload',
            constraint=models.CheckConstraint(condition=models.Q(('part_size__isnull', True), ('part_size__gt', 0), models.Q(('open_ended', True), ('part_size', 0)), _connector='OR'), name='upload_part_size_positive'),
        ),
        migrations.AddConstraint(
            model_name='upload',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('open_ended', True), ('part_size__isnull', False)), models.Q(('open_ended', False), ('whole__isnull', True)), _connector='OR'), name='upload_open_ended_in_parts'),
        ),
        migrations.AddConstraint(
            model_name='upload',
            constraint=models.CheckConstraint(condition=models.Q(('taken__isnull', True), ('whole__isnull', False), _connector='OR'), name='upload_taken_is_whole'),
        ),
        migrations.AddConstraint(
            model_name='uploadpart',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('offset__isnull', True), ('size__isnull', True)), models.Q(('offset__gte', 0), ('size__gte', 0)), _connector='OR'), name='upload_part_has_place_and_size'),
        ),
    ]
